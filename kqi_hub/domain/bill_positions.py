"""What runs come to on bills, by person, queue and kind: added up as lines are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from kqi_hub.domain.accounting_ports import Recorded
from kqi_hub.domain.site_days import Day, Period, period_of


class Billed(NamedTuple):
    """On which bill lines of a run stand; `earlier` is 1 for use of a closed month."""

    period: Period
    tenant: str
    earlier: int


class PositionKey(NamedTuple):
    """What a bill tells apart, in the order of the table's key."""

    period: Period
    tenant: str
    user: str
    queue: str
    kind: str
    earlier: int


class _Line(Protocol):
    @property
    def period(self) -> Period: ...
    @property
    def tenant(self) -> str: ...
    @property
    def day(self) -> Day: ...
    @property
    def seconds(self) -> int: ...
    @property
    def cpu_s(self) -> int: ...
    @property
    def gpu_s(self) -> int: ...
    @property
    def amount(self) -> int: ...


# Seconds, CPU seconds, GPU seconds, amount.
BilledSums = dict[Billed, list[int]]


class BillPositions:
    """Positions in memory, to be added to those that are kept."""

    def __init__(self) -> None:
        self.sums: dict[PositionKey, list[int]] = {}

    def add(
        self, run: Recorded, billed: Mapping[Billed, Sequence[int]], sign: int = 1
    ) -> None:
        """Add what a run's lines come to, or take it away with `sign` -1."""
        record = run.record
        for (period, tenant, earlier), numbers in billed.items():
            whose = (record.user, record.partition, run.kind)
            key = PositionKey(period, tenant, *whose, earlier)
            known = self.sums.get(key)
            if known is None:
                known = self.sums[key] = [0, 0, 0, 0, 0]
            known[0] += sign
            for place, number in enumerate(numbers, 1):
                known[place] += sign * number


def add_billed(known: BilledSums, lines: Iterable[_Line]) -> BilledSums:
    """Add lines of one run to what its lines come to so far."""
    for line in lines:
        period = line.period
        key = Billed(period, line.tenant, int(period_of(line.day) < period))
        sums = known.get(key)
        if sums is None:
            sums = known[key] = [0, 0, 0, 0]
        sums[0] += line.seconds
        sums[1] += line.cpu_s
        sums[2] += line.gpu_s
        sums[3] += line.amount
    return known
