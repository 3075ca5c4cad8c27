"""Lists of runs cost what their pages are, not what the history is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from kqi_hub.db.engine import make_engine
from kqi_hub.db.usage_runs import SqlUsedRuns
from kqi_hub.domain.usage import Days, Narrowing
from tests.adapters.db.test_usage_stores import NOW, asked, some_days, written
from tests.fakes.usage import DAY, FakeUse, record

PEOPLE = 30
Statements = list[tuple[str, Any]]


@contextmanager
def statements(engine: Engine) -> Iterator[Statements]:
    """Collect what is asked of a database."""
    found: Statements = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.startswith("SELECT"):
            found.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def rare_runs(days: int, people: int = 1) -> FakeUse:
    """Return a failed run of each of some people a day, of a QOS of its own."""
    made = FakeUse()
    for day in range(days):
        for number in range(people):
            began = int(NOW) - (day + 1) * DAY
            job, user = 1000 + day * 50 + number, f"u{number}"
            rare = {"qos": "rare", "state": "FAILED"}
            made.add(record(job, user, "vision", "cpu", began, 2, **rare))
            made.add(record(100_000 + job, "zoe", "nlp", "cpu", began, 2))
    return made


@pytest.mark.parametrize(
    "whose",
    [
        *(Narrowing(qos="rare"), Narrowing(person="u0", qos="rare")),
        Narrowing(("vision",), qos="rare"),
    ],
)
def test_a_page_of_rare_runs_is_not_a_statement_for_each_day(
    engine: Engine, whose: Narrowing
) -> None:
    made = rare_runs(days=45)
    written(engine, made)
    question = asked(whose, some_days(364, 0), failed=True)
    with statements(engine) as found:
        page = SqlUsedRuns(engine, "gpu1").runs(question)
    assert page == made.runs(question)
    assert len(page.runs) == 45
    assert len(found) < 15


@pytest.mark.parametrize("days", [1, 30, 120])
def test_days_of_few_and_of_many_people_are_one_list(engine: Engine, days: int) -> None:
    made = rare_runs(days)
    for day in range(0, days, 7):
        for number in range(PEOPLE):
            began, job = int(NOW) - (day + 1) * DAY - 60, 50_000 + day * 50 + number
            made.add(record(job, f"m{number}", "nlp", "cpu", began, 3, qos="rare"))
    written(engine, made)
    question = asked(Narrowing(qos="rare"), some_days(364, 0), limit=1000)
    assert SqlUsedRuns(engine, "gpu1").runs(question) == made.runs(question)


@pytest.mark.parametrize(
    "whose", [Narrowing(person="zoe"), Narrowing(("nlp",)), Narrowing()]
)
def test_what_ended_long_after_old_days_is_found_by_the_small_indexes(
    sqlite_url: str, whose: Narrowing
) -> None:
    engine = make_engine(sqlite_url, create=True)
    written(engine, rare_runs(days=3))
    with statements(engine) as found:
        SqlUsedRuns(engine, "gpu1").runs(asked(whose, old_days()))
    plans = [plan for one in found for plan in plans_of(engine, one)]
    for name in ("long", "longest"):
        assert any(f"ix_job_records_{name} " in plan for plan in plans), plans
    openly = [plan for plan in plans if "ended_at>?)" in plan]
    assert all("ix_job_records_longest" in plan for plan in openly), openly
    engine.dispose()


def old_days() -> Days:
    return some_days(700, 670)


def plans_of(engine: Engine, one: tuple[str, Any]) -> Iterator[str]:
    statement, parameters = one
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        yield from (row[3] for row in rows)
