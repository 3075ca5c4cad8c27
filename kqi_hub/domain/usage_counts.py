"""What a run adds to the sums by day: its use, its money, that it ran and ended."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from kqi_hub.domain.accounting_ports import Recorded
from kqi_hub.domain.job_records import JobRecord, gpus_of
from kqi_hub.domain.ledger import Charge
from kqi_hub.domain.site_days import Day, Period, SiteDays, period_of
from kqi_hub.domain.usage import Totals

# Ends that are nobody's wish. Cancelled, preempted and requeued runs are none.
FAILED_STATES: Final = frozenset(
    {
        "BOOT_FAIL",
        "DEADLINE",
        "FAILED",
        "LAUNCH_FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "TIMEOUT",
    }
)
# The type of GPUs whose type Slurm does not tell.
SOME_GPU: Final = "gpu"


class Whose(NamedTuple):
    """What sums are kept by, beside the day."""

    tenant: str
    user: str
    queue: str
    qos: str
    gpu_type: str
    kind: str


# `UsageCounts.add` counts by places: the order is that of the columns.
_ZEROS: Final = [0] * len(Totals._fields)
_RUNS: Final = Totals._fields.index("runs")
_FAILED_RUNS: Final = Totals._fields.index("failed_runs")
_STARTED_RUNS: Final = Totals._fields.index("started_runs")
_WAITED_S: Final = Totals._fields.index("waited_s")
DayKey = tuple[Day, Whose]
MonthKey = tuple[Period, Whose]


class UsageCounts:
    """Sums by day in memory, to be added to those that are kept."""

    def __init__(self, days: SiteDays) -> None:
        self._days = days
        self.by_day: dict[DayKey, list[int]] = {}

    def add(
        self, run: Recorded, charged: Iterable[Charge], sign: int = 1
    ) -> DayKey | None:
        """Add what a run comes to, or take it away with `sign` -1.

        Return the day on which it ended, and whose it is; None: it goes on.
        """
        record = run.record
        if record.ended_at is None:
            return None
        whose = whose_is(record, run.kind)
        failed = sign if record.state in FAILED_STATES else 0
        for day, _, per_hour, seconds, amount, cpu_s, memory, gpu_s, node_s in charged:
            sums = self._sums((day, whose))
            sums[0] += sign * amount
            sums[1] += sign * seconds
            sums[2] += sign * cpu_s
            sums[3] += sign * memory
            sums[4] += sign * gpu_s
            sums[5] += sign * node_s
            if per_hour is None:
                sums[6] += sign * seconds
            if failed:
                sums[9] += failed * gpu_s
                sums[10] += failed * amount
        ended = (self._days.day_of(record.ended_at), whose)
        sums = self._sums(ended)
        sums[_RUNS] += sign
        sums[_FAILED_RUNS] += failed
        self._add_start(record, whose, sign)
        return ended

    def by_month(self) -> dict[MonthKey, list[int]]:
        """Return the same by month of use."""
        found: dict[MonthKey, list[int]] = {}
        for (day, whose), sums in self.by_day.items():
            key = (period_of(day), whose)
            known = found.get(key)
            if known is None:
                found[key] = sums.copy()
            else:
                found[key] = [a + b for a, b in zip(known, sums, strict=True)]
        return found

    def _add_start(self, record: JobRecord, whose: Whose, sign: int) -> None:
        if record.started_at is not None:
            sums = self._sums((self._days.day_of(record.started_at), whose))
            sums[_STARTED_RUNS] += sign
            if record.eligible_at is not None:
                waited = record.started_at - record.eligible_at
                sums[_WAITED_S] += sign * max(0, waited)

    def _sums(self, key: DayKey) -> list[int]:
        sums = self.by_day.get(key)
        if sums is None:
            sums = self.by_day[key] = _ZEROS.copy()
        return sums


def whose_is(record: JobRecord, kind: str) -> Whose:
    """Return what a run's sums are kept by."""
    return Whose(
        record.account,
        record.user,
        record.partition,
        record.qos,
        gpu_type_of(record.gpus),
        kind,
    )


@lru_cache(maxsize=4096)
def gpu_type_of(gpus: str) -> str:
    """Return one name for the GPUs of a record: `a100`, `a100+v100`, none without."""
    kinds = [kind or SOME_GPU for kind, count in gpus_of(gpus).items() if count]
    return "+".join(sorted(kinds))
