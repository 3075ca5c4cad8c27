"""Accounting's records of some jobs, with what a book under some cards has of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from kqi_hub.domain.charges import charges
from kqi_hub.domain.costs import Booked, BookedPart, BookedRun, JobMark
from kqi_hub.domain.job import Job
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.rate_cards import Tariff
from kqi_hub.domain.site_days import SiteDays


@dataclass
class FakeBooks:
    """Books (services/costs.py) that note what they were asked."""

    tariff: Tariff
    read_until: int | None = None
    runs: list[BookedRun] = field(default_factory=list)
    seen: dict[int, Job] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def take_in(self, *records: JobRecord) -> None:
        """Keep records, and post those that have ended."""
        for record in records:
            parts = charges(record, self.tariff, SiteDays())
            posted = tuple(
                BookedPart(one.per_hour, one.seconds, one.amount) for one in parts
            )
            self.runs.append(BookedRun(record, posted))

    def of_marks(self, marks: Collection[JobMark]) -> Booked:
        self.asked.append("marks")
        found: dict[JobMark, tuple[BookedRun, ...]] = {}
        for run in self._sorted():
            mark = JobMark(run.record.name, run.record.shown_id, run.record.user)
            if mark in marks:
                found[mark] = (*found.get(mark, ()), run)
        return Booked(found, self.read_until)

    def of_numbers(self, job_ids: Collection[int]) -> Mapping[int, Sequence[BookedRun]]:
        self.asked.append("numbers")
        found: dict[int, list[BookedRun]] = {}
        for run in self._sorted():
            if run.record.job_id in job_ids:
                found.setdefault(run.record.job_id, []).append(run)
        return found

    def jobs(self, job_ids: Collection[int]) -> Mapping[int, Job]:
        self.asked.append("jobs")
        return {number: self.seen[number] for number in job_ids if number in self.seen}

    def _sorted(self) -> list[BookedRun]:
        return sorted(self.runs, key=lambda run: run.record.submitted_at)
