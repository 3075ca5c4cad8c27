"""Sums by less, and positions of bills: as the lines have them, whatever happened."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, Table, case, func, insert, select, text

from kqi_hub.db import schema
from kqi_hub.db.accounting_tables import JobRecordRow, PeriodRow
from kqi_hub.db.engine import make_engine, reading, writing
from kqi_hub.db.ledger import (
    BILLS,
    CLOSED,
    LEDGER,
    POSITIONS,
    USAGE_DAYS,
    USAGE_MONTHS,
    USAGE_SUMS,
)
from kqi_hub.db.ledger_proof import Prover
from kqi_hub.domain.usage_cuts import Cut
from kqi_hub.domain.usage_periods import month_days
from tests.adapters.db.ledger_lab import (
    AFTER,
    DAYS,
    a_store,
    as_read,
    make_ready,
    records,
    rows,
)

RECORDS: Table = JobRecordRow.__table__  # type: ignore[assignment]  # it is one
WHOSE = ("user", "tenant", "queue", "qos", "gpu_type", "kind")


@pytest.fixture
def eventful(engine: Engine) -> Engine:
    """Return a book after late, changed and moved runs, with a closed month in it."""
    make_ready(engine)
    store = a_store(engine)
    store.take_in(as_read(records(90)), AFTER)
    store.take_in(as_read(records(20, user="moved", cpus=9)), AFTER + 1)
    bills = {row[2]: sum(row[3:]) for row in rows(engine, BILLS) if row[1] == 202610}
    closed = {"cluster": "kqi", "period": 202610, "closed_at": 1.0, "author": "root"}
    with writing(engine) as connection:
        notes = json.dumps({"bills": bills})
        connection.execute(insert(PeriodRow), closed | {"notes": notes})
    store.take_in(as_read(records(40, partition="v100", gpus="v100=1")), AFTER + 2)
    store.take_in(as_read(records(10, account="other", state="FAILED")), AFTER + 3)
    a_store(engine, "other").take_in(as_read(records(5)), AFTER)
    return engine


def positions_of(engine: Engine) -> list[tuple[Any, ...]]:
    """Return every position out of the lines themselves."""
    first = case(
        {period: month_days(period).first for period in periods(engine)},
        value=LEDGER.c.period,
    )
    earlier = case((LEDGER.c.day < first, 1), else_=0)
    by = (
        *(LEDGER.c.cluster, LEDGER.c.period, LEDGER.c.tenant, RECORDS.c.user),
        *(RECORDS.c.partition, RECORDS.c.kind, earlier),
    )
    sums = (LEDGER.c[name] for name in ("seconds", "cpu_s", "gpu_s", "amount"))
    runs = func.count(LEDGER.c.record_id.distinct())
    query = select(*by, runs, *map(func.sum, sums)).join_from(
        LEDGER, RECORDS, RECORDS.c.id == LEDGER.c.record_id
    )
    with reading(engine) as connection:
        found = connection.execute(query.group_by(*by)).all()
    return sorted((*row[:7], *map(int, row[7:])) for row in found)


def periods(engine: Engine) -> set[int]:
    with reading(engine) as connection:
        return set(connection.scalars(select(LEDGER.c.period)))


def cuts_of(engine: Engine) -> dict[tuple[Any, ...], list[int]]:
    """Return every cut out of the sums that tell everything apart."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for grain, table in (("day", USAGE_DAYS), ("month", USAGE_MONTHS)):
        for cluster, at, tenant, user, *rest in rows(engine, table):
            whose = dict(zip(WHOSE, (user, tenant, *rest[:4]), strict=True))
            for cut in Cut:
                if grain in cut.grains:
                    kept = (whose[one] if one in cut.keeps else "" for one in WHOSE)
                    sums = found.setdefault(
                        (cluster, cut.value, grain, at, *kept), [0] * 13
                    )
                    sums[:] = [a + b for a, b in zip(sums, rest[4:], strict=True)]
    return {key: sums for key, sums in found.items() if any(sums)}


def kept(engine: Engine) -> dict[tuple[Any, ...], list[int]]:
    found = ((row[:10], list(row[10:])) for row in rows(engine, USAGE_SUMS))
    return {key: sums for key, sums in found if any(sums)}


def alive(engine: Engine) -> list[tuple[Any, ...]]:
    return [row for row in rows(engine, POSITIONS) if any(row[7:])]


def test_every_cut_is_that_of_the_whole(eventful: Engine) -> None:
    assert kept(eventful) == cuts_of(eventful)


def test_every_position_is_that_of_the_lines(eventful: Engine) -> None:
    found = alive(eventful)
    assert found == positions_of(eventful)
    assert {row[6] for row in found} == {0, 1}, "use of a closed month among them"


def test_the_proof_agrees_and_mends_both(eventful: Engine) -> None:
    prover = Prover(eventful, "kqi", DAYS)
    assert prover.prove().wrong == 0
    with writing(eventful) as connection:
        connection.execute(text("UPDATE usage_sums SET gpu_s = gpu_s + 1"))
        connection.execute(text("DELETE FROM bill_positions WHERE cluster = 'kqi'"))
    kinds = {one.where.split()[0] for one in prover.prove().faults}
    assert "bill_positions" in kinds or "usage_sums" in kinds
    assert Prover(eventful, "kqi", DAYS).prove(mend=True).wrong > 0
    assert Prover(eventful, "kqi", DAYS).prove().wrong == 0
    assert alive(eventful) == positions_of(eventful)


@pytest.fixture
def earlier_schema(
    eventful: Engine, request: pytest.FixtureRequest, tmp_path: Any
) -> Iterator[Engine]:
    """Return the same book as the schema before these sums had it."""
    url = f"sqlite:///{tmp_path}/earlier.sqlite"
    if eventful.dialect.name == "postgresql":
        url = request.getfixturevalue("postgresql_server").new_database()
    engine = make_engine(url, create=True)
    yield earlier_book(eventful, engine, "0016")
    engine.dispose()


def earlier_book(book: Engine, engine: Engine, version: str) -> Engine:
    """Copy a book into an empty database with the schema of another version."""
    schema.upgrade(engine, version)
    for table in (RECORDS, LEDGER, USAGE_DAYS, USAGE_MONTHS, BILLS, CLOSED):
        with reading(book) as connection:
            found = [row._asdict() for row in connection.execute(select(table))]
        with writing(engine) as connection:
            if found:
                connection.execute(insert(table), found)
    return engine


def test_an_earlier_book_gets_its_sums(
    eventful: Engine, earlier_schema: Engine
) -> None:
    schema.upgrade(earlier_schema)
    assert kept(earlier_schema) == kept(eventful)
    assert alive(earlier_schema) == alive(eventful)
    for table in (USAGE_DAYS, USAGE_MONTHS):
        assert rows(earlier_schema, table) == rows(eventful, table)
