"""What a job has cost: the runs that accounting has of it, by the book or without."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.money import FREE, Price

# Between the end of a run and the next one of the same job, which was requeued: its
# nodes have to be cleared first. A job that only has the same number comes far later.
_REQUEUED_WITHIN_S: Final = 3600


class JobMark(NamedTuple):
    """How accounting knows a job of ours: its name has a key that no other one has.

    `shown_id` is 12, or 12_3 for a task. Anybody may give a job any name: so `user`.
    """

    name: str
    shown_id: str
    user: str


class BookedPart(NamedTuple):
    """What the book has of a run at one price; None: there was no price."""

    per_hour: int | None
    seconds: int
    amount: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What something has cost, in micro-currency; None where it has no price.

    `hourly` are the least and the most that an hour of it cost. `is_billed`: it has
    ended, and it is what the book has; else it is reckoned from what is known.
    """

    amount: int | None = None
    hourly: tuple[int, int] | None = None
    is_billed: bool = False

    def plus(self, other: "Cost") -> "Cost":
        """Return both together."""
        known = [one.amount for one in (self, other) if one.amount is not None]
        prices = [*(self.hourly or ()), *(other.hourly or ())]
        return Cost(
            sum(known) if known else None,
            (min(prices), max(prices)) if prices else None,
            self.is_billed and other.is_billed,
        )

    def price(self, whole_node: bool) -> Price | None:
        """Return the price that an hour of it had; None where that is not known."""
        if self.hourly is None:
            return None
        least, most = self.hourly
        return Price(most, least, whole_node) if most else FREE


@dataclass(frozen=True, slots=True)
class BookedRun:
    """A run as accounting has it, with what the book has of it."""

    record: JobRecord
    parts: tuple[BookedPart, ...] = ()

    @property
    def cost(self) -> Cost | None:
        """Return what the book says; None where it has no line of the run.

        Of parts that a correction has taken back whole nothing is left.
        """
        left = [one for one in self.parts if one.seconds or one.amount]
        if not left:
            return None
        prices = [one.per_hour for one in left if one.per_hour is not None]
        return Cost(
            sum(one.amount for one in left) if prices else None,
            (min(prices), max(prices)) if prices else None,
            is_billed=True,
        )


@dataclass(frozen=True, slots=True)
class Booked:
    """What is known of some jobs of ours; what ended before `read_until` is there."""

    runs: Mapping[JobMark, tuple[BookedRun, ...]] = field(default_factory=dict)
    read_until: int | None = None


def one_job(runs: Iterable[BookedRun], submitted_at: int) -> tuple[BookedRun, ...]:
    """Return the runs of the job that was submitted then, of those with its number.

    A job that is requeued has the time of that as its time of submission.
    """
    found: list[BookedRun] = []
    for run in sorted(runs, key=lambda one: one.record.submitted_at):
        if found and not _goes_on(found[-1].record, run.record):
            if _has(found, submitted_at):
                break
            found = []
        found.append(run)
    return tuple(found) if _has(found, submitted_at) else ()


def _goes_on(before: JobRecord, record: JobRecord) -> bool:
    """Tell whether a run is the next one of a job that went back into its queue."""
    if before.ended_at is None or before.user != record.user:
        return False
    return abs(record.submitted_at - before.ended_at) <= _REQUEUED_WITHIN_S


def _has(runs: list[BookedRun], submitted_at: int) -> bool:
    return any(one.record.submitted_at == submitted_at for one in runs)
