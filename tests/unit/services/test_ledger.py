"""Closing months and giving credit: who may, when, and what is written."""

import json

import pytest

from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from kqi_hub.domain.ledger_ports import Closed, LinesAsked, MonthBill, Proof
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.people import Standing
from kqi_hub.services.ledger import Ledger
from kqi_hub.services.tenant_rights import Asker
from tests.fakes.ledger import NOVEMBER, NOW, OCTOBER, FakeLedger

ROOT = Asker(Standing("rita", (), is_operator=True), "10.0.0.9")
MANAGER = Asker(Standing("max", ()))


@pytest.fixture
def store() -> FakeLedger:
    store = FakeLedger()
    store.furnish()
    return store


@pytest.fixture
def ledger(store: FakeLedger) -> Ledger:
    return store.service()


async def test_a_month_is_closed_as_it_was_shown(
    ledger: Ledger, store: FakeLedger
) -> None:
    plan = await ledger.plan(ROOT, OCTOBER)
    assert plan.obstacles == ()
    assert plan.total == 1_217 * MICRO + 5
    await ledger.close(ROOT, OCTOBER, plan.confirmation)
    assert store.closed[OCTOBER] == Closed(NOW, "rita")
    assert store.read == [OCTOBER]
    (line,) = store.book
    assert (line.amount, line.reason) == (-50 * MICRO, "allowance 2026-10")
    assert json.loads(store.notes[OCTOBER])["bills"] == {
        "speech": 70 * MICRO,
        "vision": 1_147 * MICRO + 5,
    }
    (event,) = store.audit.events
    assert (event.action, event.target) == ("month-closed", "2026-10")
    assert (event.actor, event.address) == ("rita", "10.0.0.9")


async def test_what_came_late_must_be_looked_at_again(
    ledger: Ledger, store: FakeLedger
) -> None:
    plan = await ledger.plan(ROOT, OCTOBER)
    store.late[OCTOBER] = MonthBill("late", 5, 0, 0)
    with pytest.raises(Conflict, match="not those that were confirmed"):
        await ledger.close(ROOT, OCTOBER, plan.confirmation)
    assert store.closed == {}
    again = await ledger.plan(ROOT, OCTOBER)
    await ledger.close(ROOT, OCTOBER, again.confirmation)
    assert OCTOBER in store.closed


async def test_a_plan_may_read_the_month_once_more(
    ledger: Ledger, store: FakeLedger
) -> None:
    plan = await ledger.plan(ROOT, OCTOBER, read=True)
    assert plan.read is not None
    assert (plan.read.read, store.read) == (1_000, [OCTOBER])
    await ledger.close(ROOT, OCTOBER, plan.confirmation, read=False)
    assert store.read == [OCTOBER]


async def test_the_month_of_now_is_not_read_and_not_closed(
    ledger: Ledger, store: FakeLedger
) -> None:
    store.closed[OCTOBER] = Closed(1.0, "rita")
    plan = await ledger.plan(ROOT, NOVEMBER, read=True)
    assert list(map(str, plan.obstacles)) == ["it is not over"]
    assert (plan.read, store.read) == (None, [])
    with pytest.raises(Conflict, match="2026-11 cannot be closed: it is not over"):
        await ledger.close(ROOT, NOVEMBER, plan.confirmation)


@pytest.mark.parametrize(
    ("closed", "filled", "period", "why"),
    [
        ([OCTOBER], 0, OCTOBER, "rita has closed it already"),
        ([], None, OCTOBER, "accounting has not been read back to its beginning yet"),
        ([], int(NOW), OCTOBER, "accounting has not been read back"),
        ([], 0, NOVEMBER, "2026-10 has bills and comes first"),
    ],
)
async def test_what_stands_against_closing_is_said(
    store: FakeLedger, closed: list[int], filled: int | None, period: int, why: str
) -> None:
    store.closed = dict.fromkeys(closed, Closed(1.0, "rita"))
    store.filled_back_to = filled
    plan = await store.service().plan(ROOT, period)
    assert any(why in str(one) for one in plan.obstacles)
    with pytest.raises(Conflict):
        await store.service().close(ROOT, period, plan.confirmation)
    assert store.closed == dict.fromkeys(closed, Closed(1.0, "rita"))


async def test_a_credit_is_money_off_with_its_reason(
    ledger: Ledger, store: FakeLedger
) -> None:
    await ledger.credit(ROOT, "vision", 5 * MICRO, " a broken node ", OCTOBER)
    await ledger.credit(ROOT, "vision", -2 * MICRO, "tape restored")
    given, taken = store.book
    assert (given.amount, given.reason, given.period) == (
        -5 * MICRO,
        "a broken node",
        OCTOBER,
    )
    assert (taken.amount, taken.period) == (2 * MICRO, NOVEMBER)
    assert [event.action for event in store.audit.events] == ["credit", "credit"]


async def test_a_credit_of_a_month_gone_by_lies_on_its_last_day(
    ledger: Ledger, store: FakeLedger
) -> None:
    await ledger.credit(ROOT, "vision", 1, "x", OCTOBER)
    assert store.book[0].day == ledger.days.day_of(ledger.days.month_ends(OCTOBER) - 1)


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "a" * 301, "\x1b[31m", "‮x"])
async def test_a_reason_is_one_line_that_hides_nothing(
    ledger: Ledger, store: FakeLedger, reason: str
) -> None:
    with pytest.raises(InvalidInput, match="needs a reason"):
        await ledger.credit(ROOT, "vision", 1, reason)
    assert store.book == []


@pytest.mark.parametrize("amount", [0, 10**19, -(10**19)])
async def test_an_amount_that_is_none_is_refused(ledger: Ledger, amount: int) -> None:
    with pytest.raises(InvalidInput, match="cannot be a credit"):
        await ledger.credit(ROOT, "vision", amount, "x")


async def test_a_credit_needs_a_tenant_and_a_month_that_are_there(
    ledger: Ledger, store: FakeLedger
) -> None:
    with pytest.raises(NotFound, match="no tenant ghost"):
        await ledger.credit(ROOT, "ghost", 1, "x")
    with pytest.raises(InvalidInput, match="2026-12 has not begun"):
        await ledger.credit(ROOT, "vision", 1, "x", 202612)
    store.closed[OCTOBER] = Closed(1.0, "rita")
    with pytest.raises(Conflict):
        await ledger.credit(ROOT, "vision", 1, "x", OCTOBER)
    assert store.audit.events == []


async def test_only_operators_see_and_change_the_book(
    ledger: Ledger, store: FakeLedger
) -> None:
    for refused in (
        ledger.months(MANAGER),
        ledger.plan(MANAGER, OCTOBER),
        ledger.close(MANAGER, OCTOBER, "x"),
        ledger.credit(MANAGER, "vision", 1, "x"),
        ledger.lines(MANAGER, LinesAsked()),
        ledger.prove(MANAGER, mend=True),
    ):
        with pytest.raises(NotPermitted):
            await refused
    assert (store.book, store.closed, store.read) == ([], {}, [])


async def test_putting_the_book_right_is_noted(
    ledger: Ledger, store: FakeLedger
) -> None:
    store.proof = Proof(5, 9, 2, ())
    assert not (await ledger.prove(ROOT)).mended
    assert store.audit.events == []
    assert (await ledger.prove(ROOT, mend=True)).mended
    assert store.audit.events[0].action == "ledger-mend"


@pytest.mark.parametrize(
    ("amount", "relief"), [(0, 0), (-5, 0), (20, 20), (50 * MICRO, 50 * MICRO)]
)
def test_an_allowance_is_no_more_than_what_is_owed(
    ledger: Ledger, amount: int, relief: int
) -> None:
    assert ledger.relief("vision", OCTOBER, amount) == relief
    assert ledger.relief("vision", OCTOBER, 99 * MICRO) == 50 * MICRO
    assert ledger.relief("speech", OCTOBER, 99 * MICRO) == 0
