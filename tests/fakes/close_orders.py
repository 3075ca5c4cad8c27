"""Orders to close a month in memory, and the service on them."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace

from kqi_hub.domain.accounting_ports import TakenIn
from kqi_hub.domain.close_orders import CloseOrder, CloseStep, NewOrder
from kqi_hub.domain.errors import ClusterUnreachable, Conflict
from kqi_hub.domain.reconciliation import Cause, Reconciliation
from kqi_hub.domain.site_days import Period
from kqi_hub.services.closing import Closing
from tests.fakes.ledger import FakeLedger

_PART_S = 3 * 86_400


@dataclass
class FakeCloseOrders:
    """A CloseOrders, of which each month may have one open; it is read in parts.

    `read_from` are the moments from which parts were read. `stops_after` is the part
    after which the worker is killed, `fails_at` the one at which Slurm does not answer.
    """

    ledger: FakeLedger
    orders: list[CloseOrder] = field(default_factory=list)
    steps: list[CloseStep] = field(default_factory=list)
    read_from: list[int] = field(default_factory=list)
    counts: dict[Cause, int] = field(default_factory=dict)
    compared: list[tuple[int, int]] = field(default_factory=list)
    stops_after: int | None = None
    fails_at: int | None = None
    cancels_at: CloseStep | None = None
    changes: int = 0

    def service(self) -> Closing:
        """Return the service on it."""
        return Closing(self.ledger.service(), self, self._parts, self._compare)

    def furnish(self) -> None:
        """Have somebody close August 2026."""
        self.orders.clear()
        self.add(NewOrder(202608, "rita", "", "x"), 1.0)

    def add(self, new: NewOrder, now: float) -> CloseOrder:
        known = self.last(new.period)
        if known is not None and known.is_open:
            raise Conflict("It is being closed already.")
        order = CloseOrder(len(self.orders) + 1, new, now, changed_at=now)
        self.orders.append(order)
        self.changes += 1
        return order

    def last(self, period: Period) -> CloseOrder | None:
        found = [one for one in self.orders if one.asked.period == period]
        return found[-1] if found else None

    def open(self) -> CloseOrder | None:
        return next((one for one in self.orders if one.is_open), None)

    def keep(self, order: CloseOrder, now: float) -> bool:
        if order.step is self.cancels_at:
            self.cancel(order.id, now)
        known = self.orders[order.id - 1]
        if not known.is_open:
            return False
        self.orders[order.id - 1] = replace(order, changed_at=now)
        self.changes += 1
        if not self.steps or self.steps[-1] is not order.step:
            self.steps.append(order.step)
        return True

    def cancel(self, order_id: int, now: float) -> bool:
        known = self.orders[order_id - 1]
        if not known.may_cancel:
            return False
        end = CloseStep.CANCELED
        self.orders[order_id - 1] = replace(known, step=end, changed_at=now)
        self.changes += 1
        return True

    def stamp(self) -> float:
        # The ledger's clock stands still.
        return float(self.changes)

    async def _parts(
        self, period: Period, since: int | None
    ) -> AsyncGenerator[tuple[int, TakenIn], None]:
        ledger = self.ledger.service()
        days = ledger.days
        begins, ends = days.month_begins(period), days.month_ends(period)
        at, number = since or begins, 0
        while at < ends:
            number += 1
            self.read_from.append(at)
            if number == self.fails_at:
                raise ClusterUnreachable("slurmdbd does not answer.")
            at = min(ends, at + _PART_S)
            if at == ends:
                await ledger.read_month(period)
            yield at, TakenIn(100, 1, 1, 2)
            if number == self.stops_after:
                raise KeyboardInterrupt

    async def _compare(self, since: int, until: int) -> Reconciliation:
        self.compared.append((since, until))
        return Reconciliation(since, until, 1.0, counts=self.counts)
