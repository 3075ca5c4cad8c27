"""A store of pictures in memory that can be told to fail."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from kqi_hub.domain.cluster import Freshness, Node, Partition, Reading
from kqi_hub.domain.job import EndedJob, Job


class FakeSnapshotStore:
    """Keep the picture in dictionaries; `fault` is raised by every call while set."""

    def __init__(self) -> None:
        self.reading = Reading(0.0, (), (), ())
        self.known: dict[int, Job] = {}
        self.fresh = Freshness(0, None, None)
        self.asked: float | None = None
        self.saved: list[Reading] = []
        self.marks: list[str] = []
        self.codes: dict[int, int] = {}
        self.fault: Exception | None = None
        self.save_fault: Exception | None = None
        # What a look that is asked for finds; None: nobody takes one.
        self.coming: list[Job] | None = None

    def save(self, reading: Reading, ended: Mapping[int, EndedJob]) -> int:
        self._may_fail()
        if self.save_fault is not None:
            raise self.save_fault
        self.known.update({job.job_id: job for job in reading.jobs})
        for job_id, end in ended.items():
            self.known[job_id] = replace(self.known[job_id], state=end.state)
        self.saved.append(reading)
        self.reading = reading
        sequence = self.fresh.sequence + 1
        self.fresh = Freshness(sequence, reading.taken_at, reading.taken_at)
        if self.asked is not None and self.asked <= reading.taken_at:
            self.asked = None
        return sequence

    def mark_failed(self, error: str, tried_at: float) -> None:
        self._may_fail()
        self.marks.append(error)
        self.fresh = replace(self.fresh, error=error, tried_at=tried_at)

    def freshness(self) -> Freshness:
        self._may_fail()
        return self.fresh

    def nodes(self) -> tuple[Node, ...]:
        return self.reading.nodes

    def partitions(self) -> tuple[Partition, ...]:
        return self.reading.partitions

    def live_jobs(self, user: str | None = None) -> tuple[Job, ...]:
        self._may_fail()
        return tuple(
            job
            for job in self.known.values()
            if not job.is_over and user in (None, job.user)
        )

    def jobs(
        self, user: str | None = None, limit: int = 100, after: int | None = None
    ) -> tuple[Job, ...]:
        newest_first = sorted(self.known.values(), key=lambda job: -job.job_id)
        wanted = [
            job
            for job in newest_first
            if user in (None, job.user) and (after is None or job.job_id < after)
        ]
        return tuple(wanted[:limit])

    def exit_codes(self, job_ids: Collection[int]) -> Mapping[int, int]:
        return {one: self.codes[one] for one in job_ids if one in self.codes}

    def known_jobs(
        self, job_ids: Collection[int], names: Collection[str] = ()
    ) -> tuple[Job, ...]:
        self._may_fail()
        return tuple(
            job
            for job in self.known.values()
            if job.job_id in job_ids or job.name in names
        )

    def request_refresh(self, asked_at: float) -> None:
        self.asked = max(asked_at, self.asked or 0.0)
        if self.coming is not None:
            jobs = (*self.live_jobs(), *self.coming)
            self.save(replace(self.reading, taken_at=asked_at, jobs=jobs), {})
            self.asked = asked_at

    def refresh_requested_at(self) -> float | None:
        self._may_fail()
        return self.asked

    def lost_jobs(self, seen: Reading) -> tuple[int, ...]:
        self._may_fail()
        present = {job.job_id for job in seen.jobs}
        return tuple(
            job.job_id for job in self.live_jobs() if job.job_id not in present
        )

    def _may_fail(self) -> None:
        if self.fault is not None:
            raise self.fault
