"""The most that one run comes to, by day and whose: where runs are that stand out.

A peak is never below its runs. It may be above them after a run became less, which
costs a look in vain and nothing else.
"""

from collections.abc import Iterable
from typing import NamedTuple

from kqi_hub.domain.accounting_ports import Recorded
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.ledger import Charge
from kqi_hub.domain.site_days import SiteDays, period_of
from kqi_hub.domain.usage_counts import FAILED_STATES, DayKey, MonthKey, whose_is


class Peaks(NamedTuple):
    """The most that a run of some comes to; each of another run, perhaps."""

    amount: int = 0
    failed_gpu_s: int = 0
    waited_s: int = 0

    def raised(self, other: "Peaks") -> "Peaks":
        """Return the higher ones of both."""
        return Peaks(*map(max, self, other))


class UsagePeaks:
    """Peaks of runs by the day on which they ended, to raise those that are kept."""

    def __init__(self, days: SiteDays) -> None:
        self._days = days
        self.by_day: dict[DayKey, Peaks] = {}

    def add(self, run: Recorded, charged: Iterable[Charge]) -> None:
        """Add a run with all that it is charged."""
        record = run.record
        if record.ended_at is None:
            return
        amount = gpu_s = 0
        for one in charged:
            amount += one.amount
            gpu_s += one.gpu_s
        failed = gpu_s if record.state in FAILED_STATES else 0
        waited = waited_s(record)
        if amount <= 0 and failed <= 0 and waited <= 0:
            return
        key = (self._days.day_of(record.ended_at), whose_is(record, run.kind))
        peaks = Peaks(max(0, amount), max(0, failed), max(0, waited))
        known = self.by_day.get(key)
        self.by_day[key] = peaks if known is None else known.raised(peaks)

    def by_month(self) -> dict[MonthKey, Peaks]:
        """Return the same by month."""
        found: dict[MonthKey, Peaks] = {}
        for (day, whose), peaks in self.by_day.items():
            key = (period_of(day), whose)
            found[key] = found.get(key, peaks).raised(peaks)
        return found


def waited_s(record: JobRecord) -> int:
    """Return how long a run waited since it could have begun; 0: it never began."""
    began, could = record.started_at, record.eligible_at
    if began is None:
        return 0
    return began - (record.submitted_at if could is None else could)
