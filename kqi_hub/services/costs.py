"""What jobs have cost: while they run, until the book has them, and what it has then.

A page of rows is one question. What is reckoned here is what the book will say of the
same times, for it is the same function (domain/charges.py).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Protocol

from kqi_hub.domain.costs import Booked, BookedRun, Cost, JobMark, one_job
from kqi_hub.domain.imagined import record_of_job
from kqi_hub.domain.job import Job
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.queues import Scene
from kqi_hub.services.pricing import Pricing

Runs = Sequence[BookedRun]


class Books(Protocol):
    """What accounting and the book have of jobs. Every method blocks."""

    def of_marks(self, marks: Collection[JobMark]) -> Booked:
        """Return the runs of jobs of ours, the oldest first."""

    def of_numbers(self, job_ids: Collection[int]) -> Mapping[int, Runs]:
        """Return the runs of each of these numbers, the oldest first."""

    def jobs(self, job_ids: Collection[int]) -> Mapping[int, Job]:
        """Return the jobs of the picture with these numbers, ended ones too."""


@dataclass(frozen=True, slots=True)
class NoBooks:
    """Books of a place where nothing is taken in."""

    def of_marks(self, marks: Collection[JobMark]) -> Booked:
        """Return nothing."""
        return Booked()

    def of_numbers(self, job_ids: Collection[int]) -> Mapping[int, Runs]:
        """Return nothing."""
        return {}

    def jobs(self, job_ids: Collection[int]) -> Mapping[int, Job]:
        """Return nothing."""
        return {}


@dataclass(frozen=True, slots=True)
class Ours:
    """A run or session of the portal's as far as its job is concerned.

    `mark` is None before it has a job. `live` is its job while the picture has it,
    `record` what accounting may have of it, None before it begins. It lives while
    `ended_at` is None.
    """

    mark: JobMark | None = None
    job_id: int | None = None
    live: Job | None = None
    record: JobRecord | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of jobs, at prices that are known, from books."""

    pricing: Pricing
    books: Books = field(default_factory=NoBooks)

    def of_ours(
        self, ours: Sequence[Ours], scene: Scene, now: float
    ) -> tuple[Cost, ...]:
        """Return what each has cost, every time that it was requeued too. Blocks."""
        marks = {one.mark for one in ours if one.mark is not None}
        booked = self.books.of_marks(marks) if marks else Booked()
        missing = {
            one.job_id
            for one in ours
            if one.job_id is not None and _is_missing(one, _runs_of(one, booked))
        }
        jobs = self.books.jobs(missing) if missing else {}
        return tuple(self._of_one(one, booked, jobs, scene, now) for one in ours)

    def of_jobs(
        self, jobs: Iterable[Job], scene: Scene, now: float
    ) -> Mapping[int, Cost]:
        """Return what jobs of the picture have cost, by their numbers. Blocks."""
        wanted = {job.job_id: job for job in jobs}
        known = self.books.of_numbers(wanted) if wanted else {}
        found = {}
        for number, job in wanted.items():
            runs = one_job(known.get(number, ()), job.submitted_at or 0)
            record = record_of_job(job, now)
            cost = self._total(runs, record, scene)
            is_whole = job.is_over and _has(runs, record) and not _goes_on(runs)
            found[number] = replace(cost, is_billed=is_whole)
        return found

    def _of_one(
        self,
        ours: Ours,
        booked: Booked,
        jobs: Mapping[int, Job],
        scene: Scene,
        now: float,
    ) -> Cost:
        has_ended = ours.ended_at is not None
        if ours.mark is None:
            return Cost(0, is_billed=has_ended)
        runs, record = _runs_of(ours, booked), ours.record
        if ours.live is not None:
            record = record_of_job(ours.live, now)
        elif (job := jobs.get(ours.job_id or 0)) and _is_end_of(job, ours.mark):
            record = record_of_job(job, now)
        cost = self._total(runs, record, scene)
        is_whole = has_ended and _is_whole(ours, runs, booked.read_until)
        return replace(cost, is_billed=is_whole)

    def _total(self, runs: Runs, current: JobRecord | None, scene: Scene) -> Cost:
        """Return what the book has, and what it will say of `current` if it lacks it.

        Of what took no time the book has nothing.
        """
        costs = [
            run.cost or self.pricing.cost_of(scene, run.record)
            for run in runs
            if run.record.is_final
        ]
        if current is not None and not _has(runs, current):
            record = _as_accounted(current, runs)
            costs.append(self.pricing.cost_of(scene, record))
        return reduce(Cost.plus, costs) if costs else Cost(0)


def _runs_of(ours: Ours, booked: Booked) -> Runs:
    return () if ours.mark is None else booked.runs.get(ours.mark, ())


def _is_missing(ours: Ours, runs: Runs) -> bool:
    """Tell whether something has ended of which accounting knows no end yet."""
    if ours.live is not None or ours.record is None:
        return False
    return not _has(runs, ours.record)


def _has(runs: Runs, current: JobRecord) -> bool:
    """Tell whether accounting has this run with its end."""
    return any(run.record.is_final and _is_same(run.record, current) for run in runs)


def _is_same(known: JobRecord, current: JobRecord) -> bool:
    """Tell whether a run is the one that is meant; by its times where those are all."""
    if current.job_id:
        return known.submitted_at == current.submitted_at
    if known.ended_at is None or known.started_at is None:
        return known.started_at is not None
    return known.ended_at > (current.started_at or 0)


def _as_accounted(current: JobRecord, runs: Runs) -> JobRecord:
    """Return a run with what accounting knows of it before its end.

    Only accounting tells how long it was suspended.
    """
    for run in runs:
        known = run.record
        if known.is_final or known.started_at is None or not known.partition:
            continue
        if current.started_at is not None and _is_same(known, current):
            ended = max(known.started_at, current.ended_at or 0)
            return known._replace(ended_at=ended)
    return current


def _is_whole(ours: Ours, runs: Runs, read_until: int | None) -> bool:
    """Tell whether accounting has all of what has ended."""
    if not runs or _goes_on(runs):
        return False
    ended, over = int(ours.ended_at or 0), runs[-1].record.ended_at or 0
    return over >= ended or (read_until is not None and read_until > ended)


def _goes_on(runs: Runs) -> bool:
    return not all(run.record.is_final for run in runs)


def _is_end_of(job: Job, mark: JobMark) -> bool:
    """Tell whether a job of the picture is the one that is meant, and is over."""
    return job.is_over and (job.name, job.user) == (mark.name, mark.user)
