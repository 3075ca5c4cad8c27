"""The most that one run comes to, by day and whose: where runs are that stand out.

A peak is never below its runs. It may be above them after a run became less, which
costs a look in vain and nothing else.
"""

from collections.abc import Iterable
from typing import NamedTuple

from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.ledger import Charge
from kqi_hub.domain.site_days import period_of
from kqi_hub.domain.usage_counts import FAILED_STATES, DayKey, MonthKey


class Peaks(NamedTuple):
    """The most that a run of some comes to; each of another run, perhaps."""

    amount: int = 0
    failed_gpu_s: int = 0
    waited_s: int = 0


class UsagePeaks:
    """Peaks of runs by the day on which they ended, to raise those that are kept."""

    def __init__(self) -> None:
        self.by_day: dict[DayKey, list[int]] = {}

    def add(self, ended: DayKey, record: JobRecord, charged: Iterable[Charge]) -> None:
        """Add a run that ended then, with all that it is charged."""
        amount = gpu_s = 0
        for one in charged:
            amount += one.amount
            gpu_s += one.gpu_s
        failed = gpu_s if record.state in FAILED_STATES else 0
        waited = record.waited_s or 0
        if amount > 0 or failed > 0 or waited > 0:
            known = self.by_day.get(ended)
            if known is None:
                self.by_day[ended] = [max(0, amount), failed, waited]
            else:
                _raise(known, amount, failed, waited)

    def by_month(self) -> dict[MonthKey, list[int]]:
        """Return the same by month."""
        found: dict[MonthKey, list[int]] = {}
        for (day, whose), peaks in self.by_day.items():
            _raise(found.setdefault((period_of(day), whose), [0, 0, 0]), *peaks)
        return found


def _raise(peaks: list[int], amount: int, failed_gpu_s: int, waited_s: int) -> None:
    # Not by max(): a million times a back-fill.
    if amount > peaks[0]:
        peaks[0] = amount
    if failed_gpu_s > peaks[1]:
        peaks[1] = failed_gpu_s
    if waited_s > peaks[2]:
        peaks[2] = waited_s
