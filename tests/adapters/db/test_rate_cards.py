"""Cards of rates on both databases: numbered one after the other, never changed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Engine, insert

from kqi_hub.db import schema
from kqi_hub.db.accounting_tables import JobRecordRow, NodeShapeRow, PeriodRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.rate_cards import SqlRateCards, cards_in
from kqi_hub.domain.errors import Conflict, NotFound
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.rate_cards import CardLine
from kqi_hub.domain.rate_ports import NewCard, Standing
from kqi_hub.domain.site_days import SiteDays
from tests.fakes.book import a_record

NOW = datetime(2026, 11, 20, tzinfo=UTC).timestamp()
DECEMBER = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp())
TEXT = 'from = 2026-12-01T00:00:00Z # l\'"été";--\n[[rate]]\nqueue = "*"\nper_cpu = 2\n'


class Locked:
    """Counts how often a transaction that publishes asked for the lock."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, connection: Connection) -> None:
        assert connection.in_transaction()
        self.times += 1


@pytest.fixture
def locked() -> Locked:
    return Locked()


@pytest.fixture
def cards(engine: Engine, locked: Locked) -> SqlRateCards:
    schema.upgrade(engine)
    return SqlRateCards(engine, "gpu1", SiteDays(), locked)


def new(from_at: int = DECEMBER, note: str = "") -> NewCard:
    return NewCard(from_at, TEXT, "oda", note)


def keep_run(engine: Engine, ended_at: int) -> None:
    run = a_record(ended_at=ended_at)._asdict()
    about = {"kind": "other", "hash": 1, "first_seen": NOW, "changed_at": NOW}
    with writing(engine) as connection:
        row = {"cluster": "gpu1", **run, **about}
        connection.execute(insert(JobRecordRow), row)


def close(engine: Engine, period: int) -> None:
    row = {"cluster": "gpu1", "period": period, "closed_at": NOW, "author": "oda"}
    with writing(engine) as connection:
        connection.execute(insert(PeriodRow), {**row, "notes": "{}"})


def test_a_card_comes_back_as_it_was_published(
    cards: SqlRateCards, locked: Locked
) -> None:
    assert cards.standing() == Standing()
    assert cards.publish(new(note="o'brien; 日本"), Standing(), NOW) == 1
    [known] = cards.cards()
    assert (known.author, known.note, known.document) == ("oda", "o'brien; 日本", TEXT)
    assert known.card.lines == (CardLine("*", cpu=2 * MICRO),)
    assert (known.card.version, known.card.from_at) == (1, DECEMBER)
    assert (known.published_at, known.posted_at, known.withdrawn_at) == (NOW, NOW, None)
    assert cards.standing() == Standing(1, 0, 0)
    assert locked.times == 1


def test_use_of_the_past_waits_to_be_posted(
    cards: SqlRateCards, engine: Engine
) -> None:
    keep_run(engine, int(NOW) - 10)
    cards.publish(new(int(NOW) - 100), Standing(), NOW)
    cards.publish(new(int(NOW) - 50), Standing(1), NOW)
    assert [one.posted_at for one in cards.cards()] == [None, None]
    cards.mark_posted([1], NOW + 5)
    assert [one.posted_at for one in cards.cards()] == [None, NOW + 5]
    cards.mark_posted([], NOW + 9)


@pytest.mark.parametrize(("ended", "posted"), [(-100, NOW), (-99, None)])
def test_a_card_since_whose_beginning_nothing_ended_is_posted_at_once(
    cards: SqlRateCards, engine: Engine, ended: int, posted: float | None
) -> None:
    keep_run(engine, int(NOW) + ended)
    cards.publish(new(int(NOW) - 100), Standing(), NOW)
    assert [one.posted_at for one in cards.cards()] == [posted]


def test_the_first_card_of_a_new_portal_is_posted_at_once(cards: SqlRateCards) -> None:
    cards.publish(new(0), Standing(), NOW)
    assert [one.posted_at for one in cards.cards()] == [NOW]


@pytest.mark.parametrize("known", [Standing(1), Standing(0, 1), Standing(5, 0)])
def test_what_was_decided_on_other_cards_is_refused(
    cards: SqlRateCards, known: Standing
) -> None:
    with pytest.raises(Conflict, match="meanwhile"):
        cards.publish(new(), known, NOW)
    assert cards.cards() == ()


def test_of_many_who_publish_at_once_one_does(cards: SqlRateCards) -> None:
    def publish(number: int) -> int:
        try:
            return cards.publish(new(note=str(number)), Standing(), NOW)
        except Conflict:
            return 0

    with ThreadPoolExecutor(5) as pool:
        versions = sorted(pool.map(publish, range(5)))
    assert versions == [0, 0, 0, 0, 1]
    assert len(cards.cards()) == 1


def test_a_card_is_withdrawn_before_it_counts(
    cards: SqlRateCards, engine: Engine
) -> None:
    cards.publish(new(), Standing(), NOW)
    with reading(engine) as connection:
        assert [one.version for one in cards_in(connection, "gpu1")] == [1]
        assert cards_in(connection, "gpu2") == ()
    cards.withdraw(1, NOW)
    with reading(engine) as connection:
        assert cards_in(connection, "gpu1") == ()
    assert cards.standing() == Standing(1, 1, 0)
    with pytest.raises(Conflict, match="already"):
        cards.withdraw(1, NOW)
    with pytest.raises(NotFound):
        cards.withdraw(2, NOW)
    assert cards.publish(new(), Standing(1, 1), NOW) == 2
    with pytest.raises(Conflict, match="counts already"):
        cards.withdraw(2, DECEMBER)


def test_no_card_begins_in_a_closed_month(cards: SqlRateCards, engine: Engine) -> None:
    assert cards.last_closed() is None
    close(engine, 202609)
    close(engine, 202610)
    assert cards.last_closed() == 202610
    november = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
    with pytest.raises(Conflict, match="2026-10"):
        cards.publish(new(november - 1), Standing(), NOW)
    assert cards.publish(new(november), Standing(), NOW) == 1


def test_each_cluster_has_cards_of_its_own(cards: SqlRateCards, engine: Engine) -> None:
    other = SqlRateCards(engine, "gpu2", SiteDays(), Locked())
    cards.publish(new(), Standing(), NOW)
    assert other.standing() == Standing()
    assert other.publish(new(), Standing(), NOW) == 1
    with pytest.raises(NotFound):
        other.withdraw(2, NOW)


def test_what_nodes_have_is_told(cards: SqlRateCards, engine: Engine) -> None:
    row = {"cluster": "gpu1", "node": "n1", "from_at": 5, "cpus": 8}
    with writing(engine) as connection:
        connection.execute(
            insert(NodeShapeRow), {**row, "memory_mb": 100, "gpus": "v100=4"}
        )
    assert cards.standing().shapes == 1
    found = cards.shapes().of("n1", 100)
    assert found is not None
    assert (found.cpus, found.memory_mb, found.gpus) == (8, 100, {"v100": 4})
