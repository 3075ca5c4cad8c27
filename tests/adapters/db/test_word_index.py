"""PostgreSQL's index of words: what asks it, and a database that may not have it."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, event, select
from sqlalchemy.engine import make_url

from kqi_hub.db import schema
from kqi_hub.db.engine import make_engine, reading
from kqi_hub.db.list_conditions import has_part
from kqi_hub.db.list_plans import plan_for_lists
from kqi_hub.db.run_rows import RUNS
from kqi_hub.db.schema import upgrade as migrated
from kqi_hub.db.word_index import WORD_INDEX, lacks_word_index
from kqi_hub.domain.filters import Part

_ONLY_BITMAPS = ("enable_seqscan", "enable_indexscan", "enable_indexonlyscan")


def plan_of(engine: Engine, column: str, word: str) -> str:
    """Return how words are found where nothing else than an index may be asked."""
    conditions = has_part(RUNS.c[column], Part(word))
    query = select(RUNS.c.number).where(*conditions).compile(engine)
    with reading(engine) as connection:
        for setting in _ONLY_BITMAPS:
            connection.exec_driver_sql(f"SET LOCAL {setting} = off")
        asked = f"EXPLAIN {query}"
        rows = connection.exec_driver_sql(asked, dict(query.params)).all()
    return "\n".join(row[0] for row in rows)


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[Engine]:
    engine = make_engine(postgresql_url)
    schema.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("column", ["owner", "name", "memo", "command"])
@pytest.mark.parametrize(
    "word", ["SEED", "--lr 0.5", "データセット", "École", "Привет"]
)
def test_words_of_three_letters_are_looked_up(
    postgresql: Engine, column: str, word: str
) -> None:
    assert WORD_INDEX in plan_of(postgresql, column, word)


@pytest.mark.parametrize("word", ["s", "lr", "--", "学習", "_%_", "1", "É"])
def test_an_index_that_would_give_every_row_is_not_asked(
    postgresql: Engine, word: str
) -> None:
    assert WORD_INDEX not in plan_of(postgresql, "memo", word)


def test_plans_of_lists_end_with_their_transaction(postgresql: Engine) -> None:
    def cost() -> str:
        return str(connection.exec_driver_sql("SHOW random_page_cost").scalar())

    with postgresql.connect() as connection:
        with connection.begin():
            usual = cost()
            plan_for_lists(connection)
            assert cost() == "1.1" != usual
        assert cost() == usual


def test_a_refused_extension_refuses_no_upgrade_and_may_come_later(
    postgresql_url: str,
) -> None:
    url = make_url(postgresql_url)
    database = sql.Identifier(url.database or "")
    with psycopg.connect(
        host=str(url.query["host"]),
        user="postgres",
        dbname=url.database,
        autocommit=True,
    ) as admin:
        admin.execute("CREATE ROLE kqi_poor LOGIN")
        try:
            # It may make tables, and nothing that is the whole database's.
            admin.execute(
                sql.SQL("REVOKE CREATE ON DATABASE {} FROM PUBLIC").format(database)
            )
            admin.execute("GRANT CREATE ON SCHEMA public TO kqi_poor")
            engine = make_engine(postgresql_url)

            event.listen(engine, "connect", become_poor)
            head = schema.head_revision()
            # By its migrations, as it is: other tests' databases are copies of one.
            assert migrated(engine) == (None, head)
            assert schema.check(engine) == head
            assert is_lacking(engine)
            admin.execute("CREATE EXTENSION pg_trgm")
            assert migrated(engine) == (head, head)
            assert not is_lacking(engine)
            engine.dispose()
        finally:
            admin.execute("DROP OWNED BY kqi_poor CASCADE")
            admin.execute("DROP ROLE kqi_poor")


def test_an_index_of_all_languages_small_letters_is_made_anew(
    postgresql_url: str,
) -> None:
    engine = make_engine(postgresql_url)
    schema.upgrade(engine, "0021")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE EXTENSION pg_trgm")
        connection.exec_driver_sql(
            f"CREATE INDEX {WORD_INDEX} ON runs USING gin (lower(memo) gin_trgm_ops)"
        )
    schema.upgrade(engine)
    assert WORD_INDEX in plan_of(engine, "name", "seed")
    engine.dispose()


def test_sqlite_lacks_nothing(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url, create=True)
    schema.upgrade(engine)
    assert not is_lacking(engine)
    engine.dispose()


def become_poor(connection: psycopg.Connection[object], _: object) -> None:
    connection.execute("SET SESSION AUTHORIZATION kqi_poor")
    connection.commit()


def is_lacking(engine: Engine) -> bool:
    with reading(engine) as connection:
        return lacks_word_index(connection)
