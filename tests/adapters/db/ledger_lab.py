"""A database with a card, records of several people, and the book over them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Table, insert, select

from kqi_hub.db import schema
from kqi_hub.db.accounting_tables import IntakeRow, RateCardRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.job_records import SqlJobRecords
from kqi_hub.db.ledger import LEDGER, SqlBook
from kqi_hub.domain.accounting_ports import ReadRecord, Recorded
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.posting import Line
from kqi_hub.domain.rate_cards import CardLine, RateCard
from kqi_hub.domain.rate_writing import write_document
from kqi_hub.domain.site_days import SiteDays
from tests.fakes.book import NOON, FakeBook, a_record

CARD = RateCard(1, 0, (CardLine("a100", gpu=3 * MICRO), CardLine("*", cpu=10)))
DAYS = SiteDays("Asia/Tokyo")
AFTER = NOON + 40 * 86_400


def make_ready(engine: Engine, *cards: RateCard) -> Engine:
    """Make the tables, with a card of rates."""
    schema.upgrade(engine)
    for card in cards or (CARD,):
        publish(engine, card)
    return engine


def publish(engine: Engine, card: RateCard) -> None:
    row = {
        "cluster": "kqi",
        "version": card.version,
        "from_at": card.from_at,
        "document": write_document(card, "UTC", "USD"),
        "author": "root",
        "note": "",
        "published_at": 0.0,
    }
    with writing(engine) as connection:
        connection.execute(insert(RateCardRow), row)


def read_history(engine: Engine, filled_back_to: int = 0) -> None:
    """Note that accounting has been read back to a moment."""
    row = {"cluster": "kqi", "filled_back_to": filled_back_to}
    with writing(engine) as connection:
        connection.execute(insert(IntakeRow), row)


def records(count: int, first: int = 1, **changes: object) -> list[JobRecord]:
    """Return runs of several people, days and queues, some across midnight."""
    return [
        a_record(
            job_id=number,
            submitted_at=NOON + number * 977,
            started_at=NOON + number * 1_000,
            ended_at=NOON + number * 1_000 + number % 7 * 9_000,
            user=f"user{number % 3}",
            account=("vision", "speech")[number % 2],
            partition=("a100", "cpu")[number % 2],
            state=("COMPLETED", "FAILED")[number % 5 == 0],
        )._replace(**changes)  # type: ignore[arg-type]  # named by the tests
        for number in range(first, first + count)
    ]


def as_read(some: Sequence[JobRecord]) -> list[ReadRecord]:
    return [ReadRecord(record, hash(record)) for record in some]


def a_store(engine: Engine, cluster: str = "kqi") -> SqlJobRecords:
    return SqlJobRecords(engine, cluster, SqlBook(engine, cluster, DAYS, lambda: AFTER))


def rows(engine: Engine, table: Table) -> list[tuple[Any, ...]]:
    with reading(engine) as connection:
        return sorted(tuple(row) for row in connection.execute(select(table)))


def lines(engine: Engine) -> list[Line]:
    columns = [LEDGER.c[name] for name in Line._fields]
    with reading(engine) as connection:
        found = connection.execute(select(*columns).order_by(LEDGER.c.id))
        return [Line(*row) for row in found]


def in_memory(some: Sequence[JobRecord]) -> FakeBook:
    book = FakeBook([CARD], DAYS)
    book.post(None, [Recorded(i, one, "job") for i, one in enumerate(some, 1)], AFTER)
    return book
