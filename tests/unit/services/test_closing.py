"""Closing a month by order: steps, ends, cancelling, a worker that is killed."""

import pytest

from kqi_hub.domain.close_orders import CloseStep
from kqi_hub.domain.errors import Conflict, NotFound, NotPermitted
from kqi_hub.domain.ledger_ports import Closed, MonthBill
from kqi_hub.domain.people import Standing
from kqi_hub.domain.reconciliation import Cause
from kqi_hub.services.closing import Closing
from kqi_hub.services.tenant_rights import Asker
from tests.fakes.close_orders import FakeCloseOrders
from tests.fakes.ledger import NOVEMBER, NOW, OCTOBER, FakeLedger

ROOT = Asker(Standing("rita", (), is_operator=True), "10.0.0.9")
MANAGER = Asker(Standing("max", ()))


@pytest.fixture
def ledger() -> FakeLedger:
    ledger = FakeLedger()
    ledger.furnish()
    return ledger


@pytest.fixture
def orders(ledger: FakeLedger) -> FakeCloseOrders:
    return FakeCloseOrders(ledger)


@pytest.fixture
def closing(orders: FakeCloseOrders) -> Closing:
    return orders.service()


async def ordered(closing: Closing, accepted: int = 0) -> None:
    plan = await closing.ledger.plan(ROOT, OCTOBER)
    await closing.order(ROOT, OCTOBER, plan.confirmation, accepted)


async def test_an_order_is_carried_out_step_by_step(
    closing: Closing, orders: FakeCloseOrders, ledger: FakeLedger
) -> None:
    await ordered(closing)
    assert ledger.closed == {}
    assert ledger.read == []
    done = await closing.work()
    assert done is not None
    assert done.step is CloseStep.CLOSED
    assert orders.steps == [
        CloseStep.READING,
        CloseStep.COMPARING,
        CloseStep.CLOSING,
        CloseStep.CLOSED,
    ]
    assert ledger.closed[OCTOBER] == Closed(NOW, "rita")
    assert ledger.read == [OCTOBER]
    days = closing.ledger.days
    assert orders.compared == [(days.month_begins(OCTOBER), days.month_ends(OCTOBER))]
    assert (done.runs_read, done.runs_changed, done.differences) == (1100, 22, 0)
    events = [(one.action, one.actor, one.address) for one in ledger.audit.events]
    assert events == [
        ("month-close-ordered", "rita", "10.0.0.9"),
        ("month-closed", "rita", "10.0.0.9"),
    ]
    assert await closing.work() is None


async def test_bills_that_have_changed_are_asked_for_again(
    closing: Closing, orders: FakeCloseOrders, ledger: FakeLedger
) -> None:
    ledger.late[OCTOBER] = MonthBill("late", 5, 0, 0)
    await ordered(closing)
    done = await closing.work()
    assert done is not None
    assert done.step is CloseStep.CHANGED
    assert ledger.closed == {}
    # No need to compare what must be looked at again.
    assert orders.compared == []
    await ordered(closing)
    await closing.work()
    assert OCTOBER in ledger.closed


@pytest.mark.parametrize(
    ("counts", "accepted", "end"),
    [
        ({Cause.RUNNING: 3, Cause.LATE: 2}, 0, CloseStep.CLOSED),
        ({Cause.MISSING: 2, Cause.CHANGED: 1}, 0, CloseStep.DIFFERS),
        ({Cause.MISSING: 2, Cause.CHANGED: 1}, 2, CloseStep.DIFFERS),
        ({Cause.MISSING: 2, Cause.CHANGED: 1}, 3, CloseStep.CLOSED),
    ],
)
async def test_what_differs_from_slurm_is_accepted_or_ends_it(
    closing: Closing,
    orders: FakeCloseOrders,
    ledger: FakeLedger,
    counts: dict[Cause, int],
    accepted: int,
    end: CloseStep,
) -> None:
    orders.counts = counts
    await ordered(closing, accepted)
    done = await closing.work()
    assert done is not None
    assert done.step is end
    assert (OCTOBER in ledger.closed) == (end is CloseStep.CLOSED)
    assert done.differences == sum(counts.get(one, 0) for one in counts) - sum(
        counts.get(one, 0) for one in (Cause.RUNNING, Cause.LATE)
    )


async def test_a_killed_worker_goes_on_where_it_was(
    closing: Closing, orders: FakeCloseOrders, ledger: FakeLedger
) -> None:
    await ordered(closing)
    orders.stops_after = 4
    with pytest.raises(KeyboardInterrupt):
        await closing.work()
    assert ledger.closed == {}
    orders.stops_after = None
    first = list(orders.read_from)
    again = await orders.service().work()
    assert again is not None
    assert again.step is CloseStep.CLOSED
    # What was read is not read again, and nothing is left out.
    assert len(set(orders.read_from)) == len(orders.read_from) == 11
    assert orders.read_from == sorted(orders.read_from)
    assert again.runs_read == 1100
    assert len(first) == 4


async def test_a_worker_killed_after_closing_ends_its_order(
    closing: Closing, orders: FakeCloseOrders, ledger: FakeLedger
) -> None:
    await ordered(closing)
    ledger.closed[OCTOBER] = Closed(NOW, "rita")
    done = await closing.work()
    assert done is not None
    assert done.step is CloseStep.CLOSED
    assert ledger.read == []


async def test_without_an_answer_of_slurm_the_month_stays_open(
    closing: Closing, orders: FakeCloseOrders, ledger: FakeLedger
) -> None:
    orders.fails_at = 3
    await ordered(closing)
    done = await closing.work()
    assert done is not None
    assert done.step is CloseStep.FAILED
    assert str(done.reason) == "slurmdbd does not answer."
    assert done.runs_read == 200
    assert ledger.closed == {}
    assert await closing.work() is None


@pytest.mark.parametrize(
    "at", [CloseStep.READING, CloseStep.COMPARING, CloseStep.CLOSING]
)
async def test_what_is_canceled_meanwhile_is_not_closed(
    closing: Closing, orders: FakeCloseOrders, ledger: FakeLedger, at: CloseStep
) -> None:
    orders.cancels_at = at
    await ordered(closing)
    done = await closing.work()
    assert done is not None
    assert done.step is CloseStep.CANCELED
    assert ledger.closed == {}
    assert orders.orders[0].step is CloseStep.CANCELED


async def test_an_order_is_taken_back(closing: Closing, ledger: FakeLedger) -> None:
    await ordered(closing)
    assert (await closing.cancel(ROOT, OCTOBER)).step is CloseStep.CANCELED
    assert await closing.work() is None
    with pytest.raises(NotFound):
        await closing.cancel(ROOT, OCTOBER)
    assert ledger.audit.events[-1].action == "month-close-canceled"
    await ordered(closing)


async def test_at_the_last_step_it_is_too_late_to_take_it_back(
    closing: Closing, orders: FakeCloseOrders
) -> None:
    await ordered(closing)
    order = orders.orders[0]
    assert orders.keep(order.__class__(1, order.asked, 1.0, CloseStep.CLOSING), 1.0)
    with pytest.raises(Conflict, match="too late"):
        await closing.cancel(ROOT, OCTOBER)


async def test_what_cannot_be_closed_is_not_ordered(
    closing: Closing, orders: FakeCloseOrders, ledger: FakeLedger
) -> None:
    with pytest.raises(Conflict, match="not those that were confirmed"):
        await closing.order(ROOT, OCTOBER, "0" * 16)
    plan = await closing.ledger.plan(ROOT, NOVEMBER)
    with pytest.raises(Conflict, match="it is not over"):
        await closing.order(ROOT, NOVEMBER, plan.confirmation)
    ledger.filled_back_to = int(NOW)
    plan = await closing.ledger.plan(ROOT, OCTOBER)
    with pytest.raises(Conflict, match="kqi-hub ledger intake"):
        await closing.order(ROOT, OCTOBER, plan.confirmation)
    assert orders.orders == []


async def test_what_comes_in_the_way_meanwhile_ends_the_order(
    closing: Closing, orders: FakeCloseOrders, ledger: FakeLedger
) -> None:
    await ordered(closing)
    ledger.filled_back_to = int(NOW)
    done = await closing.work()
    assert done is not None
    assert done.step is CloseStep.FAILED
    assert "has not been read back" in str(done.reason)


async def test_two_orders_at_once_are_one_too_many(closing: Closing) -> None:
    await ordered(closing)
    with pytest.raises(Conflict):
        await ordered(closing)


async def test_only_operators_order_see_and_cancel(
    closing: Closing, orders: FakeCloseOrders
) -> None:
    await ordered(closing)
    for refused in (
        closing.order(MANAGER, OCTOBER, "x"),
        closing.last(MANAGER, OCTOBER),
        closing.cancel(MANAGER, OCTOBER),
    ):
        with pytest.raises(NotPermitted):
            await refused
    assert orders.orders[0].is_open


async def test_pages_are_told_of_each_step(
    closing: Closing, orders: FakeCloseOrders
) -> None:
    people = frozenset({"rita"})
    before = await closing.look(people)
    await ordered(closing)
    assert await closing.look(people) != before
