"""Find what a new reading changes in the stored picture: pure, no database."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from kqi_hub.domain.cluster import Node, Partition, Reading
from kqi_hub.domain.job import EndedJob, Job


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database holds as of one sequence.

    `jobs` has every live job, and those of the ended ones that the reading listed:
    nothing else can change, and a day of ended jobs need not stay in memory. `gone`
    names the live ones that are marked as missing from the controller's answer.
    """

    sequence: int
    nodes: tuple[Node, ...]
    partitions: tuple[Partition, ...]
    jobs: dict[int, Job]
    gone: frozenset[int]

    def without(self, job_ids: Collection[int]) -> "Stored":
        """Return the same, less jobs that were deleted."""
        if not job_ids:
            return self
        deleted = frozenset(job_ids)
        kept = {i: job for i, job in self.jobs.items() if i not in deleted}
        return replace(self, jobs=kept)


@dataclass(frozen=True, slots=True)
class Changes:
    """What must be written; a job in `gone` keeps its row as it was."""

    jobs: tuple[Job, ...]
    gone: tuple[int, ...]
    ended: tuple[tuple[Job, EndedJob], ...]
    after: Stored


def compare(
    stored: Stored, reading: Reading, ended: Mapping[int, EndedJob], keep_after: float
) -> Changes:
    """Find the changes; ended jobs from before `keep_after` are not stored anew.

    Without that, a controller that remembers jobs for longer than the portal does
    would have them purged and stored again with every look.
    """
    known = stored.jobs
    seen = {
        job.job_id: job
        for job in reading.jobs
        if job.job_id in known or not _is_older(job, keep_after)
    }
    missing = {i: job for i, job in known.items() if i not in seen}
    lost = {i: job for i, job in missing.items() if not job.is_over}
    over = {i: ended[i] for i in lost if i in ended}
    still_lost = {i: job for i, job in lost.items() if i not in over}
    changed = tuple(
        job
        for i, job in seen.items()
        # A reading may hold the very objects of the last one: look at that first.
        if ((old := known.get(i)) is not job and old != job) or i in stored.gone
    )
    return Changes(
        jobs=changed,
        gone=tuple(i for i in still_lost if i not in stored.gone),
        ended=tuple((_with_end(lost[i], end), end) for i, end in over.items()),
        after=Stored(
            sequence=stored.sequence + 1,
            nodes=reading.nodes,
            partitions=reading.partitions,
            jobs=seen | still_lost,
            gone=frozenset(still_lost),
        ),
    )


def lost_ids(live: Iterable[int], reading: Reading) -> tuple[int, ...]:
    """Return the live jobs' ids that the reading lacks, in order."""
    seen = {job.job_id for job in reading.jobs}
    return tuple(sorted(i for i in live if i not in seen))


def _is_older(job: Job, keep_after: float) -> bool:
    return job.is_over and job.ends_at is not None and job.ends_at < keep_after


def _with_end(job: Job, end: EndedJob) -> Job:
    return replace(job, state=end.state, starts_at=end.started_at, ends_at=end.ended_at)
