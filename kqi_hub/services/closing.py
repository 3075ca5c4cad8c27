"""Close a month by an order that the worker carries out, however long that takes.

An operator orders it for the bills that they saw. The worker reads the month from Slurm
once more, compares it with the book, and closes it; it stops, and asks again, where a
bill has changed meanwhile. A worker that was stopped goes on where it was.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from kqi_hub.domain.accounting_ports import TakenIn
from kqi_hub.domain.close_orders import CloseOrder, CloseOrders, CloseStep, NewOrder
from kqi_hub.domain.errors import Conflict, KqiError, NotFound
from kqi_hub.domain.login import AuditEvent
from kqi_hub.domain.people import Standing
from kqi_hub.domain.reconciliation import Reconciliation
from kqi_hub.domain.site_days import Period
from kqi_hub.domain.usage_periods import said_period
from kqi_hub.services.ledger import Ledger, operators_only
from kqi_hub.services.tenant_rights import Asker

# Reads a month from a moment on (None: its beginning); yields how far, and what.
ReadParts = Callable[[Period, int | None], AsyncGenerator[tuple[int, TakenIn], None]]
Compare = Callable[[int, int], Awaitable[Reconciliation]]


@dataclass(frozen=True)
class Closing:
    """The orders of one cluster. `read_month` and `compare` are the worker's alone."""

    ledger: Ledger
    orders: CloseOrders
    read_month: ReadParts
    compare: Compare

    async def order(
        self, asker: Asker, period: Period, confirmation: str, accepted: int = 0
    ) -> CloseOrder:
        """Have the worker close a month whose plan was confirmed.

        Conflict where it cannot be closed now, or its bills are others by now.
        """
        plan = await self.ledger.plan(asker, period)
        self.ledger.check(plan, confirmation)
        new = NewOrder(period, asker.person, asker.address, confirmation, accepted)
        now = self.ledger.wall()
        order = await asyncio.to_thread(self.orders.add, new, now)
        self._note(asker, "month-close-ordered", period, {"accepted": str(accepted)})
        return order

    async def last(self, asker: Asker, period: Period) -> CloseOrder | None:
        """Return the newest order of a month, done or not."""
        operators_only(asker)
        return await asyncio.to_thread(self.orders.last, period)

    async def cancel(self, asker: Asker, period: Period) -> CloseOrder:
        """Take an order back; the month stays open."""
        order = await self.last(asker, period)
        if order is None or not order.is_open:
            raise NotFound(
                "Nobody has {month} closed right now.",
                "Look at the month again.",
                month=said_period(period),
            )
        now = self.ledger.wall()
        if not await asyncio.to_thread(self.orders.cancel, order.id, now):
            raise Conflict(
                "It is too late: {month} is being closed at this moment.",
                "Look at the month again.",
                month=said_period(period),
            )
        self._note(asker, "month-close-canceled", period, {})
        return replace(order, step=CloseStep.CANCELED, changed_at=now)

    async def look(self, people: frozenset[str]) -> Mapping[str, Mapping[str, object]]:
        """Return a stamp that changes with every step: pages look again by it."""
        stamp = await asyncio.to_thread(self.orders.stamp)
        return {person: {"stamp": stamp} for person in people}

    async def work(self) -> CloseOrder | None:
        """Carry out the order that is open, to its end; None where there is none."""
        order = await asyncio.to_thread(self.orders.open)
        if order is None:
            return None
        try:
            return await self._carried_out(order)
        except KqiError as error:
            last = await asyncio.to_thread(self.orders.last, order.asked.period)
            return await self._failed(last or order, error)

    async def _carried_out(self, order: CloseOrder) -> CloseOrder:
        period = order.asked.period
        asker = _asker(order)
        plan = await self.ledger.plan(asker, period)
        if plan.facts.closed is not None:
            # By the worker that was stopped just then, or from the terminal.
            return await self._kept(order, step=CloseStep.CLOSED)
        order = await self._read(order)
        if order.is_open:
            order = await self._checked(order)
        if order.is_open:
            order = await self._compared(order)
        if order.is_open:
            order = await self._checked(order, step=CloseStep.CLOSING)
        if order.is_open:
            word = order.asked.confirmation
            await self.ledger.close(asker, period, word, read=False)
            order = await self._kept(order, step=CloseStep.CLOSED)
        return order

    async def _read(self, order: CloseOrder) -> CloseOrder:
        """Read the month once more, from where that was left."""
        days, period = self.ledger.days, order.asked.period
        if order.read_to == days.month_ends(period):
            return order
        order = await self._kept(order, step=CloseStep.READING)
        if not order.is_open:
            return order
        parts = self.read_month(period, order.read_to)
        async with aclosing(parts) as found:
            async for read_to, taken in found:
                order = await self._kept(order.having_read(read_to, taken))
                if not order.is_open:
                    break
        return order

    async def _compared(self, order: CloseOrder) -> CloseOrder:
        """Compare the month with Slurm; what differs is accepted, or ends the order."""
        order = await self._kept(order, step=CloseStep.COMPARING)
        if not order.is_open:
            return order
        days, period = self.ledger.days, order.asked.period
        time = days.month_begins(period), days.month_ends(period)
        found = await self.compare(*time)
        count = sum(found.counts[cause] for cause in found.troubles)
        if not found.unexplained.is_nothing and not count:
            count = 1
        order = replace(order, differences=count)
        if count > order.asked.accepted:
            return await self._kept(order, step=CloseStep.DIFFERS)
        return order

    async def _checked(
        self, order: CloseOrder, step: CloseStep | None = None
    ) -> CloseOrder:
        """End the order where the bills are not those that were confirmed."""
        plan = await self.ledger.plan(_asker(order), order.asked.period)
        if plan.confirmation != order.asked.confirmation:
            return await self._kept(order, step=CloseStep.CHANGED)
        return await self._kept(order, step=step or order.step)

    async def _kept(
        self, order: CloseOrder, step: CloseStep | None = None
    ) -> CloseOrder:
        """Write down a step; what somebody has canceled meanwhile stays so."""
        now = self.ledger.wall()
        new = replace(order, step=step or order.step, changed_at=now)
        if await asyncio.to_thread(self.orders.keep, new, now):
            return new
        return replace(new, step=CloseStep.CANCELED)

    async def _failed(self, order: CloseOrder, error: KqiError) -> CloseOrder:
        values = {name: str(value) for name, value in error.values.items()}
        failed = replace(order, why=error.template, values=values)
        return await self._kept(failed, step=CloseStep.FAILED)

    def _note(
        self, asker: Asker, action: str, period: Period, detail: Mapping[str, str]
    ) -> None:
        event = AuditEvent(
            *(self.ledger.wall(), asker.person, action, said_period(period)),
            address=asker.address,
            detail=detail,
        )
        self.ledger.audit.append(event)


def _asker(order: CloseOrder) -> Asker:
    """Return who ordered it: the month is closed in their name."""
    asked = order.asked
    return Asker(Standing(asked.author, (), is_operator=True), asked.address)
