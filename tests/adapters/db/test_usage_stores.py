"""Use and bills in the database, beside the same added up in memory."""

from dataclasses import asdict, replace
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert

from kqi_hub.db import schema
from kqi_hub.db.accounting_tables import (
    BillPositionRow,
    BillRow,
    IntakeRow,
    JobRecordRow,
    LedgerRow,
    NodeShapeRow,
    PeriodRow,
    UsageDayRow,
    UsageMonthRow,
    UsagePeakRow,
    UsageSumRow,
)
from kqi_hub.db.bills import SqlBillStore
from kqi_hub.db.usage import SqlUsageStore
from kqi_hub.db.usage_runs import SqlUsedRuns
from kqi_hub.db.usage_top import SqlRunsAndTops
from kqi_hub.domain.accounting_ports import Recorded
from kqi_hub.domain.bill_positions import BillPositions, add_billed
from kqi_hub.domain.site_days import SiteDays, period_of
from kqi_hub.domain.usage import Days, Group, Narrowing, Place, RunsAsked, Totals
from kqi_hub.domain.usage_counts import FAILED_STATES, whose_is
from kqi_hub.domain.usage_cuts import Cut, Grain
from kqi_hub.domain.usage_peaks import Peaks
from kqi_hub.domain.usage_periods import month_days
from kqi_hub.domain.usage_top import Top, TopAsked
from tests.fakes.usage import DAY, FakeUse, record
from tests.fakes.usage_life import furnish
from tests.fakes.usage_questions import Use

NOW = 1_795_000_000.0  # 2026-11-18
MINE = Narrowing(None, person="mia")
HOSTILE = "Ω'; DROP TABLE ledger;--\n%_\\"


def written(engine: Engine, use: FakeUse) -> None:
    """Write a fake's contents as the book keeps them, beside another cluster's."""
    schema.upgrade(engine)
    days = [(one[:-1], one.totals) for one in use.uses]
    months = [((period_of(one.day), *one[1:-1]), one.totals) for one in use.uses]
    closed = [
        {"period": period, "closed_at": at, "author": "rita", "notes": "{}"}
        for period, at in use.closed.items()
    ]
    bills = [bill._asdict() for bill in use.bills(None, 0, 999_999)]
    for bill in bills:
        del bill["closed_at"]
    with engine.begin() as connection:
        for cluster, shift in (("gpu1", 0), ("other", 100_000)):
            fill(connection, JobRecordRow, records(use, shift), cluster)
            fill(connection, LedgerRow, lines(use, shift), cluster)
        fill(connection, UsageDayRow, summed("day", days))
        fill(connection, UsageMonthRow, summed("month", months))
        fill(connection, UsageSumRow, cut(Grain.DAY, days))
        fill(connection, UsageSumRow, cut(Grain.MONTH, months))
        fill(connection, UsagePeakRow, peaks(use))
        fill(connection, BillPositionRow, positions(use))
        fill(connection, BillRow, bills)
        fill(connection, PeriodRow, closed)
        fill(connection, NodeShapeRow, [one._asdict() for one in use.nodes])
        fill(connection, IntakeRow, [use.state._asdict()])


def fill(
    connection: Connection, table: type[Any], rows: list[Any], cluster: str = "gpu1"
) -> None:
    if rows:
        connection.execute(insert(table), [{**row, "cluster": cluster} for row in rows])


def records(use: FakeUse, shift: int) -> list[dict[str, Any]]:
    seen = {"hash": 1, "first_seen": NOW, "changed_at": NOW}
    return [
        run.record._asdict()
        | seen
        | {"id": number + shift, "kind": run.kind, "thing": run.thing}
        for number, run in use.known.items()
    ]


def lines(use: FakeUse, shift: int) -> list[dict[str, Any]]:
    rows = [asdict(one) | {"kind": one.kind.value} for one in use.entries]
    for row in rows:
        row["id"] += shift
        if row["record_id"] is not None:
            row["record_id"] += shift
    return rows


def cut(grain: Grain, rows: list[tuple[Any, Totals]]) -> list[dict[str, Any]]:
    """Return every cut by plain arithmetic: each row once for each that keeps it."""
    sums: dict[Any, Totals] = {}
    names = ("tenant", "user", "queue", "qos", "gpu_type", "kind")
    for (at, *whose), totals in rows:
        for one in Cut:
            if grain in one.grains:
                kept = zip(names, whose, strict=True)
                key = (one, at, *(v if name in one.keeps else "" for name, v in kept))
                sums[key] = sums.get(key, Totals()).plus(totals)
    return [
        {"cut": one.value, "grain": grain.value, "at": at}
        | dict(zip(names, whose, strict=True))
        | totals._asdict()
        for (one, at, *whose), totals in sums.items()
    ]


def peaks(use: FakeUse) -> list[dict[str, Any]]:
    """Return the most that runs come to, by day and month, run by run."""
    found: dict[Any, Peaks] = {}
    for number, run in use.known.items():
        details, _ = use.run(number) or (run, ())
        ended = run.record.ended_at
        if ended is None:
            continue
        failed = details.gpu_s if run.record.state in FAILED_STATES else 0
        most = Peaks(details.amount, failed, details.waited_s or 0)
        day = SiteDays().day_of(ended)
        whose = whose_is(run.record, run.kind)
        for key in (("day", day, whose), ("month", period_of(day), whose)):
            found[key] = Peaks(*map(max, found.get(key, most), most))
    return [
        {"grain": grain, "at": at} | whose._asdict() | most._asdict()
        for (grain, at, whose), most in found.items()
    ]


def positions(use: FakeUse) -> list[dict[str, Any]]:
    kept = BillPositions()
    for number, run in use.known.items():
        mine = [one for one in use.entries if one.record_id == number]
        recorded = Recorded(number, run.record, run.kind)
        kept.add(recorded, add_billed({}, mine))
    names = [column.name for column in BillPositionRow.__table__.columns][1:]
    return [dict(zip(names, (*k, *v), strict=True)) for k, v in kept.sums.items()]


def summed(name: str, rows: list[tuple[Any, Totals]]) -> list[dict[str, Any]]:
    sums: dict[Any, Totals] = {}
    for key, totals in rows:
        sums[key] = sums.get(key, Totals()).plus(totals)
    names = (name, *Use._fields[1:-1])
    return [
        dict(zip(names, key, strict=True)) | totals._asdict()
        for key, totals in sums.items()
    ]


@pytest.fixture
def use(engine: Engine) -> FakeUse:
    made = FakeUse()
    furnish(made, NOW)
    made.add(record(90, "mia", HOSTILE, "a_100", int(NOW) - DAY, 2, name=HOSTILE))
    made.add(record(91, "mia", "vision", "v100", int(NOW) - DAY, 2, shown_id="80_3",
                    gpus="a100=1,xv100=2"))  # fmt: skip
    made.add(record(92, "mia", "vision", "v100", int(NOW) - DAY, 2, gpus="=2"))
    # It went back into its queue: the same number, another time.
    made.add(record(1011, "mia", "vision", "a100", int(NOW) - DAY, 1, gpus="a100=8"))
    written(engine, made)
    return made


def some_days(first: int, last: int) -> Days:
    today = FakeUse().days.day_of(NOW)
    return Days(today - first, today - last)


SPANS = {
    "a day": some_days(2, 2),
    "this month": some_days(17, 0),
    "most of two months": some_days(45, 4),
    "without its first day": Days(
        month_days(202610).first + 1, month_days(202610).last
    ),
    "the middle of a month": some_days(16, 3),
    "edges and a whole month": some_days(57, 3),
    "from a month's first day": Days(month_days(202610).first, some_days(0, 0).last),
    "a year": some_days(364, 0),
    "nothing": some_days(900, 800),
}
NARROW = {
    "everything": Narrowing(),
    "a person": MINE,
    "a tenant": Narrowing(("vision",)),
    "two tenants": Narrowing(("vision", "nlp")),
    "no tenant": Narrowing(()),
    "a queue": Narrowing(queue="a100"),
    "a QOS": Narrowing(qos="high"),
    "a GPU": Narrowing(gpu_type="v100"),
    "two types of GPUs": Narrowing(gpu_type="a100+xv100"),
    "GPUs of no type": Narrowing(gpu_type="gpu"),
    "a person in a tenant": Narrowing(("vision",), person="mia"),
    "a queue of a tenant": Narrowing(("vision",), queue="a100"),
    "much at once": Narrowing(("vision",), "", "v100", "normal", "v100", "other"),
    "two things at once": Narrowing(queue="a100", kind="training"),
    "no such GPUs": Narrowing(gpu_type="v_00"),
    "without GPUs": Narrowing(gpu_type="-"),
    "a kind": Narrowing(kind="training"),
    "hostile": Narrowing((HOSTILE,)),
    "hostile person": Narrowing(person=HOSTILE),
}


def test_every_sum_is_the_one_of_plain_arithmetic(engine: Engine, use: FakeUse) -> None:
    store, groups = SqlUsageStore(engine, "gpu1"), tuple(Group)
    for span in SPANS.values():
        for whose in NARROW.values():
            assert store.tables(whose, span, groups) == use.tables(whose, span, groups)


def test_other_clusters_have_sums_of_their_own(engine: Engine, use: FakeUse) -> None:
    store = SqlUsageStore(engine, "other")
    [table] = store.tables(Narrowing(), SPANS["a year"], (Group.DAY,))
    assert table.rows == ()
    assert store.shapes() == ()
    assert store.intake() == FakeUse().state


def test_the_state_of_the_intake_and_the_nodes_are_read(
    engine: Engine, use: FakeUse
) -> None:
    store = SqlUsageStore(engine, "gpu1")
    assert store.intake() == use.state
    assert set(store.shapes()) == set(use.nodes)


def asked(whose: Narrowing, days: Days, **about: Any) -> RunsAsked:
    begins, ends = (FakeUse().days.begins(day) for day in (days.first, days.last + 1))
    return replace(RunsAsked(whose, days, begins, ends), **about)


@pytest.mark.parametrize("limit", [1, 3, 50, 1000])
def test_pages_of_runs_are_those_of_plain_lists(
    engine: Engine, use: FakeUse, limit: int
) -> None:
    store = SqlUsedRuns(engine, "gpu1")
    for whose in NARROW.values():
        question = asked(whose, SPANS["this month"], limit=limit)
        for _ in range(4):
            page = store.runs(question)
            assert page == use.runs(question)
            if page.following is None:
                break
            question = replace(question, after=page.following)


@pytest.mark.parametrize(
    "about",
    [
        *({"failed": True}, {"job": 1011}, {"job": 80}, {"job": 8}, {"job": 5}),
        *({"thing": 12}, {"thing": 4}),
        *({"failed": True, "limit": 3}, {"job": 80, "failed": True}),
    ],
)
def test_runs_are_found_by_number_and_by_their_end(
    engine: Engine, use: FakeUse, about: dict[str, Any]
) -> None:
    question = asked(Narrowing(), SPANS["a year"], **about)
    assert SqlUsedRuns(engine, "gpu1").runs(question) == use.runs(question)


@pytest.mark.parametrize("span", list(SPANS))
def test_whatever_is_narrowed_no_run_of_any_time_is_missing(
    engine: Engine, use: FakeUse, span: str
) -> None:
    store = SqlUsedRuns(engine, "gpu1")
    for whose in NARROW.values():
        for failed in (False, True):
            question = asked(whose, SPANS[span], limit=7, failed=failed)
            while True:
                page = store.runs(question)
                assert page == use.runs(question)
                if page.following is None:
                    break
                question = replace(question, after=page.following)


@pytest.mark.parametrize("hours", [3, 24, 25, 30, 191, 192, 193, 24 * 60])
def test_runs_that_ended_long_after_a_time_are_of_it(
    engine: Engine, hours: int
) -> None:
    made, begins = FakeUse(), FakeUse().days.begins(some_days(90, 90).first)
    for early in (-2, 0, 1, 23, 24, 25):
        began = begins + early * 3600
        made.add(record(500 + early, "mia", "vision", "cpu", began, hours))
    written(engine, made)
    question = asked(MINE, some_days(90, 90))
    found = SqlUsedRuns(engine, "gpu1").runs(question)
    assert found == made.runs(question)
    assert len(found.runs) >= 3


def test_both_runs_of_a_requeued_job_are_there(engine: Engine, use: FakeUse) -> None:
    question = asked(MINE, SPANS["a year"], job=1011)
    assert len(SqlUsedRuns(engine, "gpu1").runs(question).runs) == 2


def test_a_run_comes_with_its_lines(engine: Engine, use: FakeUse) -> None:
    store = SqlUsedRuns(engine, "gpu1")
    found = store.run(2)
    assert found == use.run(2)
    assert found is not None
    assert [entry.kind.value for entry in found[1]] == ["charge", "correction"]
    assert found[0].amount == sum(entry.amount for entry in found[1])
    assert store.run(99_999) is None
    assert store.run(100_002) is None, "another cluster's"


def test_a_run_of_other_days_costs_nothing_in_these(
    engine: Engine, use: FakeUse
) -> None:
    long = record(95, "zoe", "nlp", "cpu", int(NOW) - 5 * DAY, 100, cpus=1)
    number = use.add(long)
    question = asked(Narrowing(person="zoe"), some_days(4, 4))
    [run] = use.runs(question).runs
    assert run.id == number
    assert run.amount == 24 * 400_000


def test_runs_without_an_end_are_told(engine: Engine, use: FakeUse) -> None:
    store = SqlUsedRuns(engine, "gpu1")
    found = store.unfinished(int(NOW) - 3600, 10)
    assert [run.record.job_id for run in found] == [72]
    assert store.unfinished(int(NOW) - 4 * DAY, 10) == ()


def test_bills_are_those_of_the_lines(engine: Engine, use: FakeUse) -> None:
    store = SqlBillStore(engine, "gpu1")
    for tenants in (None, ("vision",), (), (HOSTILE,)):
        assert store.bills(tenants, 202601, 202612) == use.bills(
            tenants, 202601, 202612
        )
    assert store.bills(None, 202612, 202701) == ()


def test_a_statement_is_made_of_the_bill_s_own_lines(
    engine: Engine, use: FakeUse
) -> None:
    store = SqlBillStore(engine, "gpu1")
    for period in (202609, 202610, 202611):
        for tenant in ("vision", "nlp", HOSTILE):
            found = store.statement(tenant, period)
            assert found == use.statement(tenant, period)
            if found is not None:
                positions = sum(one.amount for one in found.positions)
                credits = sum(one.amount for one in found.credits)
                assert positions + credits == found.bill.total
    assert store.statement("vision", 202501) is None
    late = store.statement("vision", 202611)
    assert late is not None
    assert [one.amount for one in late.positions if one.earlier] == [1_500_000]


def test_a_place_between_pages_is_a_pair_of_numbers() -> None:
    assert Place(1, 2) < Place(1, 3) < Place(2, 0)


STANDING_OUT = [
    Narrowing(),
    MINE,
    Narrowing(("vision",)),
    Narrowing(queue="a100", gpu_type="a100"),
    Narrowing(kind="training", qos="high"),
    Narrowing(("ghost",), person=HOSTILE),
]


def test_what_stands_out_is_what_memory_finds(engine: Engine) -> None:
    use = FakeUse()
    furnish(use, NOW)
    written(engine, use)
    store = SqlRunsAndTops(engine, "gpu1")
    for by, whose in product(Top, STANDING_OUT):
        asked = TopAsked(whose, int(NOW) - 40 * DAY, int(NOW) - 2 * DAY, by, 7)
        found = store.top(asked)
        assert found == use.top(asked), asked
        assert bool(found) == (whose.person != HOSTILE) or by is Top.FAILED_GPU
