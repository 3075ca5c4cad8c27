"""Make one picture out of Slurm's answers, and never an end out of a silence."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kqi_hub.domain.cluster import Reading
from kqi_hub.domain.errors import ClusterError
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.ports import ClusterReader

Clock = Callable[[], float]
# Clocks of the controller and of accounting may differ by this much.
CLOCK_SLACK_S: Final = 300
SHOWN_IDS: Final = 5


async def take_reading(reader: ClusterReader, clock: Clock) -> Reading:
    """Ask the three questions at once: all of them answer, or the error is raised."""
    taken_at = clock()
    try:
        async with asyncio.TaskGroup() as questions:
            nodes = questions.create_task(reader.nodes())
            partitions = questions.create_task(reader.partitions())
            jobs = questions.create_task(reader.jobs())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return Reading(taken_at, nodes.result(), partitions.result(), jobs.result())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What accounting says of jobs that the controller no longer lists."""

    ended: Mapping[int, EndedJob] = field(default_factory=dict)
    unconfirmed: tuple[int, ...] = ()
    error: str = ""

    @property
    def remark(self) -> str:
        """Return what readers must know of jobs shown as last seen, or nothing."""
        if not self.unconfirmed:
            return ""
        first = ", ".join(str(job_id) for job_id in self.unconfirmed[:SHOWN_IDS])
        rest = len(self.unconfirmed) - SHOWN_IDS
        more = f" and {rest} more" if rest > 0 else ""
        why = self.error or "accounting does not say so either"
        return (
            f"Shown as last seen: job {first}{more}. "
            f"The controller lists no such job, but that is no proof of an end: {why}"
        )


async def confirm_ended(
    reader: ClusterReader, lost: Sequence[int], last_seen: Mapping[int, Job]
) -> Verdict:
    """Ask accounting about lost jobs; whatever it does not confirm stays live."""
    if not lost:
        return Verdict()
    try:
        answer = await reader.ended(lost)
    except ClusterError as error:
        return Verdict(unconfirmed=tuple(lost), error=str(error))
    ended = {
        job_id: end
        for job_id in lost
        if (end := answer.get(job_id)) and _is_of(end, last_seen.get(job_id))
    }
    return Verdict(ended, tuple(i for i in lost if i not in ended))


def _is_of(end: EndedJob, job: Job | None) -> bool:
    """Tell whether the record belongs to this job, for Slurm's job ids wrap."""
    if job is None or job.submitted_at is None:
        return True
    return end.ended_at >= job.submitted_at - CLOCK_SLACK_S
