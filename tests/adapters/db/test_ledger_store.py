"""Months are closed once and for all, credits are added, the book proves itself."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Engine, delete, insert, update

from kqi_hub.db.engine import reading, writing
from kqi_hub.db.job_records import RECORDS
from kqi_hub.db.ledger import BILLS, CLOSED, LEDGER, USAGE_DAYS, USAGE_MONTHS
from kqi_hub.db.ledger_store import SqlLedger
from kqi_hub.domain.errors import Conflict
from kqi_hub.domain.ledger_ports import (
    Closed,
    Credit,
    LinesAsked,
    MonthBill,
    MonthFacts,
)
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.rate_cards import TenantTerms
from tests.adapters.db.ledger_lab import (
    AFTER,
    CARD,
    DAYS,
    a_store,
    as_read,
    lines,
    make_ready,
    read_history,
    records,
    rows,
)
from tests.fakes.book import NOON

TERMS = {"vision": TenantTerms(allowance=5 * MICRO)}
OCTOBER, NOVEMBER = 202610, 202611
CLOSING = Closed(float(AFTER), "root")


@pytest.fixture
def ledger(engine: Engine) -> SqlLedger:
    make_ready(engine, replace(CARD, tenants=TERMS))
    read_history(engine)
    a_store(engine).take_in(as_read(records(80)), AFTER)
    return SqlLedger(engine, "kqi", DAYS)


def notes(facts: MonthFacts) -> str:
    return json.dumps({"bills": {one.tenant: one.total for one in facts.bills}})


def close(ledger: SqlLedger, period: int = OCTOBER) -> MonthFacts:
    facts = ledger.facts(period)
    day = DAYS.day_of(DAYS.month_ends(period) - 1)
    credits = [
        Credit(one.tenant, period, day, -one.allowance, "root", "allowance")
        for one in facts.bills
        if one.allowance
    ]
    ledger.close(facts, credits, CLOSING, notes(facts))
    return facts


def test_a_month_is_told_with_what_closing_it_gives(ledger: SqlLedger) -> None:
    facts = ledger.facts(OCTOBER)
    assert [one.tenant for one in facts.bills] == ["speech", "vision"]
    vision = facts.bills[1]
    assert vision.charged > 5 * MICRO
    assert vision == MonthBill("vision", vision.charged, 0, 0, 5 * MICRO)
    assert vision.total == vision.charged - 5 * MICRO
    assert (facts.closed, facts.running, facts.filled_back_to) == (None, 0, 0)
    assert facts.open_before == ()
    assert ledger.facts(NOVEMBER).open_before == (OCTOBER,)


def test_a_closed_month_has_its_allowances_and_its_date(ledger: SqlLedger) -> None:
    planned = close(ledger)
    facts = ledger.facts(OCTOBER)
    assert facts.closed == CLOSING
    assert [one.total for one in facts.bills] == [one.total for one in planned.bills]
    assert facts.bills[1].credited == -5 * MICRO
    assert ledger.facts(NOVEMBER).open_before == ()


def test_a_month_is_closed_once(ledger: SqlLedger) -> None:
    close(ledger)
    with pytest.raises(Conflict, match="2026-10 is closed"):
        close(ledger)
    with pytest.raises(Conflict, match="2026-10 is closed"):
        ledger.credit(Credit("vision", OCTOBER, 1, -5, "root", "late"), AFTER)


def test_a_month_whose_bills_changed_meanwhile_stays_open(
    ledger: SqlLedger, engine: Engine
) -> None:
    facts = ledger.facts(OCTOBER)
    a_store(engine).take_in(as_read(records(3, first=900, started_at=NOON)), AFTER)
    with pytest.raises(Conflict, match="changed meanwhile"):
        ledger.close(facts, (), CLOSING, notes(facts))
    assert ledger.facts(OCTOBER).closed is None


def test_runs_that_go_on_are_counted_for_the_month_they_began_in(
    ledger: SqlLedger, engine: Engine
) -> None:
    going = records(2, first=900, started_at=NOON, ended_at=None, state="RUNNING")
    a_store(engine).take_in(as_read(going), AFTER)
    assert ledger.facts(OCTOBER).running == 2
    assert ledger.facts(202609).running == 0


def test_allowances_are_those_of_open_months(ledger: SqlLedger) -> None:
    assert ledger.allowance("vision", OCTOBER) == 5 * MICRO
    assert ledger.allowance("speech", OCTOBER) == 0
    close(ledger)
    assert ledger.allowance("vision", OCTOBER) == 0


def test_a_credit_is_a_line_on_the_bill(ledger: SqlLedger) -> None:
    before = ledger.facts(OCTOBER).bills[1]
    given = Credit("vision", OCTOBER, DAYS.day_of(NOON), -7, "root", "a broken node")
    number = ledger.credit(given, AFTER)
    (line,) = ledger.lines(LinesAsked(kind="credit"))
    assert (line.id, line.amount, line.reason) == (number, -7, "a broken node")
    assert ledger.facts(OCTOBER).bills[1].credited == before.credited - 7
    assert ledger.prove().wrong == 0


def test_lines_are_found_by_what_is_asked(ledger: SqlLedger, engine: Engine) -> None:
    everything = ledger.lines(LinesAsked(limit=1000))
    assert [one.id for one in everything] == sorted(
        (one.id for one in everything), reverse=True
    )
    page = ledger.lines(LinesAsked(limit=3, before=everything[4].id))
    assert page == everything[5:8]
    some = ledger.lines(LinesAsked("vision", OCTOBER, "charge"))
    assert {(one.tenant, one.period) for one in some} == {("vision", OCTOBER)}
    of_job = ledger.lines(LinesAsked(job=6))
    assert sum(one.seconds for one in of_job) == 54_000
    assert ledger.lines(LinesAsked(tenant="nobody")) == ()
    assert ledger.tenants() == {"vision", "speech"}
    assert len(everything) == len(lines(engine))


def test_a_book_that_was_only_added_to_is_right(
    ledger: SqlLedger, engine: Engine
) -> None:
    close(ledger)
    a_store(engine).take_in(as_read(records(90, gpus="a100=1", cpus=3)), AFTER + 1)
    proof = ledger.prove()
    assert (proof.records, proof.wrong, proof.faults) == (90, 0, ())
    assert proof.lines == len(lines(engine))


def spoil_line(engine: Engine) -> None:
    change = update(LEDGER).where(LEDGER.c.id == 60).values(amount=LEDGER.c.amount + 1)
    with writing(engine) as connection:
        connection.execute(change)


def lose_line(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(delete(LEDGER).where(LEDGER.c.id == 60))


def spoil_record(engine: Engine) -> None:
    longer = RECORDS.c.ended_at + 3600
    with writing(engine) as connection:
        change = update(RECORDS).where(RECORDS.c.id == 60)
        connection.execute(change.values(ended_at=longer))


def spoil_day(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(update(USAGE_DAYS).values(gpu_s=USAGE_DAYS.c.gpu_s + 1))


def lose_months(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(delete(USAGE_MONTHS))


def invent_bill(engine: Engine) -> None:
    row = {"cluster": "kqi", "period": 202601, "tenant": "ghost"}
    row_sums = {"charged": 5, "corrected": 0, "credited": 0}
    with writing(engine) as connection:
        connection.execute(insert(BILLS), row | row_sums)


@pytest.mark.parametrize(
    "spoil",
    [spoil_line, lose_line, spoil_record, spoil_day, lose_months, invent_bill],
)
def test_whatever_is_not_right_is_found_and_put_right(
    ledger: SqlLedger, engine: Engine, spoil: Callable[[Engine], None]
) -> None:
    bills = rows(engine, BILLS)
    spoil(engine)
    assert ledger.prove().wrong > 0
    assert ledger.prove(mend=True).mended
    assert ledger.prove().wrong == 0
    if spoil is not spoil_record:
        totals = {row[1:3]: sum(row[3:]) for row in rows(engine, BILLS) if any(row[3:])}
        assert totals == {row[1:3]: sum(row[3:]) for row in bills if any(row[3:])}


def test_a_closed_bill_that_was_touched_is_told(
    ledger: SqlLedger, engine: Engine
) -> None:
    close(ledger)
    with reading(engine) as connection:
        assert connection.execute(CLOSED.select()).one().author == "root"
    credit = {"cluster": "kqi", "kind": "credit", "tenant": "vision", "day": 1}
    credit |= {"period": OCTOBER, "amount": -9, "at": AFTER + 9.0, "author": "x"}
    credit |= {"reason": "by hand"} | dict.fromkeys(
        ("seconds", "cpu_s", "memory_mb_s", "gpu_s", "node_s"), 0
    )
    with writing(engine) as connection:
        connection.execute(insert(LEDGER), credit)
    kinds = {(one.what, one.where) for one in ledger.prove().faults}
    assert ("closed", "closed 202610, tenant vision") in kinds


def test_months_are_listed_with_what_they_come_to(ledger: SqlLedger) -> None:
    close(ledger)
    newest, oldest = ledger.months()
    assert (newest.period, newest.closed_at) == (NOVEMBER, None)
    assert oldest.period == OCTOBER
    assert (oldest.closed_at, oldest.author) == (float(AFTER), "root")
    bills = ledger.facts(OCTOBER).bills
    assert oldest.tenants == len(bills) == 2
    assert oldest.total == sum(bill.total for bill in bills)
