"""Histories that are made up end as they should on both databases, proved each time."""

import json

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import Engine, insert

from kqi_hub.db import schema
from kqi_hub.db.accounting_tables import PeriodRow, RateCardRow
from kqi_hub.db.engine import writing
from kqi_hub.db.job_records import SqlJobRecords
from kqi_hub.db.ledger import BILLS, SqlBook
from kqi_hub.db.ledger_store import SqlLedger
from kqi_hub.domain.accounting_ports import ReadRecord, Recorded
from kqi_hub.domain.rate_writing import write_document
from kqi_hub.domain.site_days import SiteDays
from tests.adapters.db.ledger_lab import rows
from tests.fakes.book import FakeBook
from tests.fakes.histories import AFTER, CARDS, History, histories

DAYS = SiteDays("Europe/Berlin")
OCTOBER = 202610
CLUSTERS = iter(range(1_000_000))


@pytest.fixture
def ready(engine: Engine) -> Engine:
    schema.upgrade(engine)
    return engine


def a_cluster(engine: Engine) -> str:
    """Return a cluster that has the cards and nothing else: each example its own."""
    cluster = f"c{next(CLUSTERS)}"
    cards = [
        {
            "cluster": cluster,
            "version": card.version,
            "from_at": card.from_at,
            "document": write_document(card, "UTC", "USD"),
            "author": "root",
            "note": "",
            "published_at": 0.0,
        }
        for card in CARDS
    ]
    with writing(engine) as connection:
        connection.execute(insert(RateCardRow), cards)
    return cluster


def a_store(engine: Engine, cluster: str) -> SqlJobRecords:
    return SqlJobRecords(engine, cluster, SqlBook(engine, cluster, DAYS))


def read(store: SqlJobRecords, history: History, start: int, end: int) -> None:
    """Read rows one by one; a run is told by its number, whatever its row says."""
    for id_, record in history.rows[start:end]:
        row = record._replace(job_id=id_, submitted_at=1)
        store.take_in([ReadRecord(row, hash(row))], float(AFTER))


def bills(engine: Engine, cluster: str) -> dict[tuple[int, str], int]:
    found = [row for row in rows(engine, BILLS) if row[0] == cluster]
    return {row[1:3]: sum(row[3:]) for row in found if sum(row[3:])}


def expected(history: History) -> dict[tuple[int, str], int]:
    book = FakeBook(CARDS, DAYS)
    final = [Recorded(id_, one, "job") for id_, one in history.final.items()]
    book.post(None, final, AFTER)
    return {key: sum(sums) for key, sums in book.bills.items() if sum(sums)}


GENERATED = settings(
    max_examples=15,
    deadline=None,
    # Each example has a cluster of its own in the one database.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@given(history=histories())
@GENERATED
def test_a_history_ends_in_the_bills_of_its_last_rows(
    ready: Engine, history: History
) -> None:
    cluster = a_cluster(ready)
    store = a_store(ready, cluster)
    read(store, history, 0, len(history.rows))
    read(store, history, len(history.rows) - 1, len(history.rows))
    assert bills(ready, cluster) == expected(history)
    proof = SqlLedger(ready, cluster, DAYS).prove()
    assert proof.faults == ()


@given(history=histories(), place=st.integers(0, 12))
@GENERATED
def test_a_month_that_was_closed_on_the_way_keeps_its_bills(
    ready: Engine, history: History, place: int
) -> None:
    cluster = a_cluster(ready)
    store, ledger = a_store(ready, cluster), SqlLedger(ready, cluster, DAYS)
    read(store, history, 0, place)
    closed = {"cluster": cluster, "period": OCTOBER, "closed_at": float(AFTER)}
    was = {
        one: sum_ for one, sum_ in bills(ready, cluster).items() if one[0] == OCTOBER
    }
    told = {tenant: amount for (_, tenant), amount in was.items()}
    with writing(ready) as connection:
        row = closed | {"author": "root", "notes": notes(told)}
        connection.execute(insert(PeriodRow), row)
    read(store, history, place, len(history.rows))
    now = bills(ready, cluster)
    assert {one: amount for one, amount in now.items() if one[0] == OCTOBER} == was
    assert by_tenant(now) == by_tenant(expected(history))
    assert ledger.prove().faults == ()


def notes(told: dict[str, int]) -> str:
    return json.dumps({"bills": told})


def by_tenant(found: dict[tuple[int, str], int]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for (_, tenant), amount in found.items():
        sums[tenant] = sums.get(tenant, 0) + amount
    return {tenant: amount for tenant, amount in sums.items() if amount}
