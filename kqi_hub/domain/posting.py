"""What records add to the book: the lines that are missing from it, and their sums."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from kqi_hub.domain.accounting_ports import Recorded
from kqi_hub.domain.bill_positions import (
    Billed,
    BilledSums,
    BillPositions,
    add_billed,
)
from kqi_hub.domain.charges import charges
from kqi_hub.domain.ledger import Charge, EntryKind
from kqi_hub.domain.node_shapes import NO_SHAPES, NodeShapes
from kqi_hub.domain.rate_cards import Tariff
from kqi_hub.domain.site_days import Day, Period, SiteDays, next_period, period_of
from kqi_hub.domain.usage_counts import UsageCounts
from kqi_hub.domain.usage_peaks import UsagePeaks

# The author of lines that follow from Slurm's records.
ACCOUNTING: Final = "accounting"
CHANGED_RECORD: Final = "the record changed"
CHANGED_RATES: Final = "other rates or nodes"

# Whose, of which day, under which card: what is charged once and then corrected.
Place = tuple[str, Day, int]
Posted = Mapping[Place, Charge]
_NOTHING: Final[Posted] = {}
_NO_BILL: Final[Mapping[Billed, list[int]]] = {}


class Line(NamedTuple):
    """A line to add to the book, in the order of its columns."""

    kind: str
    tenant: str
    period: Period
    day: Day
    amount: int
    at: float
    author: str
    reason: str
    record_id: int | None
    version: int | None
    per_hour: int | None
    seconds: int = 0
    cpu_s: int = 0
    memory_mb_s: int = 0
    gpu_s: int = 0
    node_s: int = 0


class Pricing(NamedTuple):
    """All that charges depend on beside the record."""

    tariff: Tariff
    days: SiteDays
    shapes: NodeShapes = NO_SHAPES


class Posting:
    """A batch of records on its way into the book.

    `posted` of a record are the sums of its lines so far, with the latest price of an
    hour; there is none for a record that is new, or that never ended. `billed` are
    the same lines by the bill on which they stand.
    """

    def __init__(
        self, pricing: Pricing, closed: Collection[Period], now: float
    ) -> None:
        self._pricing = pricing
        self._closed = frozenset(closed)
        self._now = now
        self._open = self._first_open(period_of(pricing.days.day_of(now)))
        self.lines: list[Line] = []
        self.usage = UsageCounts(pricing.days)
        self.peaks = UsagePeaks()
        self.positions = BillPositions()

    def add(
        self,
        run: Recorded,
        posted: Posted = _NOTHING,
        billed: Mapping[Billed, list[int]] = _NO_BILL,
    ) -> None:
        """Add the lines and sums that are missing for a record as it is now."""
        tariff, days, shapes = self._pricing
        wanted = charges(run.record, tariff, days, shapes)
        if run.before is not None:
            self.usage.add(run.before, posted.values(), -1)
        ended = self.usage.add(run, wanted)
        if not posted:
            lines = [
                self._line(run, EntryKind.CHARGE, run.record.account, one)
                for one in wanted
            ]
        else:
            lines = [
                self._line(run, kind, tenant, one)
                for kind, tenant, one in differences(run.record.account, wanted, posted)
            ]
        self.lines += lines
        if ended and (lines or run.before is None or run[1:3] != run.before[1:3]):
            self.peaks.add(ended, run.record, wanted)
        self._add_positions(run, lines, billed)

    def bills(self) -> dict[tuple[Period, str], list[int]]:
        """Return what the lines add to bills: charged, corrected, credited."""
        found: dict[tuple[Period, str], list[int]] = {}
        for line in self.lines:
            sums = found.setdefault((line.period, line.tenant), [0, 0, 0])
            sums[_BILLED[line.kind]] += line.amount
        return found

    def _add_positions(
        self, run: Recorded, lines: Iterable[Line], billed: Mapping[Billed, list[int]]
    ) -> None:
        # The bill names whose run it is now: lines of before move along.
        if billed and run.before is not None:
            self.positions.add(run.before, billed, -1)
        so_far: BilledSums = {key: list(sums) for key, sums in billed.items()}
        self.positions.add(run, add_billed(so_far, lines))

    def _line(self, run: Recorded, kind: EntryKind, tenant: str, one: Charge) -> Line:
        day, version, per_hour, seconds, amount, cpu_s, memory, gpu_s, node_s = one
        period = period_of(day)
        reason = "" if kind is EntryKind.CHARGE else _why(run)
        if period in self._closed:
            reason = f"{reason}; " if reason else ""
            reason += f"use of {period // 100}-{period % 100:02d}, which is closed"
            period = self._open
        return Line(
            *(kind.value, tenant, period, day, amount, self._now, ACCOUNTING, reason),
            *(run.id, version, per_hour, seconds, cpu_s, memory, gpu_s, node_s),
        )

    def _first_open(self, period: Period) -> Period:
        while period in self._closed:
            period = next_period(period)
        return period


_BILLED: Final = {
    EntryKind.CHARGE.value: 0,
    EntryKind.CORRECTION.value: 1,
    EntryKind.CREDIT.value: 2,
}


def differences(
    tenant: str, wanted: Iterable[Charge], posted: Posted
) -> Iterator[tuple[EntryKind, str, Charge]]:
    """Yield what has to be added so that what is posted becomes what is wanted."""
    left = dict(posted)
    for one in wanted:
        known = left.pop((tenant, one.day, one.version), None)
        if known is None:
            yield EntryKind.CHARGE, tenant, one
        elif known != one:
            yield EntryKind.CORRECTION, tenant, _minus(one, known)
    for (whose, _, _), known in left.items():
        if any(_sums(known)):
            yield EntryKind.CORRECTION, whose, _minus(_none_of(known), known)


def _minus(wanted: Charge, known: Charge) -> Charge:
    """Return the difference, with the price of an hour as it is now."""
    sums = zip(_sums(wanted), _sums(known), strict=True)
    return Charge(
        wanted.day, wanted.version, wanted.per_hour, *(a - b for a, b in sums)
    )


def _none_of(known: Charge) -> Charge:
    return Charge(known.day, known.version, known.per_hour, 0, 0, 0, 0, 0, 0)


def _sums(charge: Charge) -> tuple[int, ...]:
    return charge[3:]


def together(known: Charge, line: Charge) -> Charge:
    """Return what two lines for one day and card come to; the later one's price."""
    sums = zip(_sums(known), _sums(line), strict=True)
    return Charge(line.day, line.version, line.per_hour, *(a + b for a, b in sums))


def _why(run: Recorded) -> str:
    is_same = run.before is not None and run.before.record == run.record
    return CHANGED_RATES if is_same else CHANGED_RECORD
