"""Open the database; a transaction means the same on SQLite and PostgreSQL.

`reading` sees one moment of the database however many queries it makes. `writing`
is alone from its first statement on, on SQLite; on PostgreSQL it locks the rows that
it asks for. Both may be used from several threads at once.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from kqi_hub.db.sqlite_file import is_full, prepare_file
from kqi_hub.domain.errors import DatabaseNotReady

# A writer that waits for another one: saving 10,000 jobs takes well under a second.
BUSY_TIMEOUT_S: Final = 15
CONNECT_TIMEOUT_S: Final = 10
_BEGIN: Final = "kqi_begin"
_TAKEN: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_SCHEMA_ERRORS: Final = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
_DOWN_ERRORS: Final = (
    sqlite3.DatabaseError,
    psycopg.OperationalError,
    psycopg.errors.InsufficientPrivilege,
)
# Faults of our own statements are bugs, and stay visible as such.
_BUG_ERRORS: Final = (sqlite3.IntegrityError, sqlite3.ProgrammingError)


def make_engine(
    url: str, password: str | None = None, pool_size: int = 5, create: bool = False
) -> Engine:
    """Return an engine; the first use connects, and `create` allows a new SQLite file.

    What is opened with it raises DatabaseNotReady when the database does not answer,
    is none, or lacks a table.
    """
    parsed = make_url(url)
    if password is not None:
        parsed = parsed.set(password=password)
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite_engine(parsed, create)
    else:
        engine = _postgresql_engine(parsed, pool_size)
    event.listen(engine, "handle_error", _explain)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction that sees one moment, and writes nothing."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine, migrating: bool = False) -> Iterator[Connection]:
    """Begin a transaction that commits at the end, and undoes all on an error.

    For `migrating`, foreign keys do not bind: SQLite changes a table by dropping it,
    which would delete what refers to it. Dispose of the engine after that.
    """
    with engine.connect() as connection:
        connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        if migrating and connection.dialect.name == "sqlite":
            # Within a transaction SQLite ignores it, and SQLAlchemy begins one with
            # the first statement: so this goes past SQLAlchemy.
            connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
        with connection.begin():
            yield connection


def check_room(engine: Engine) -> None:
    """Raise DatabaseNotReady where the database's disk is full and we can see it."""
    url = engine.url
    if url.get_backend_name() == "sqlite" and is_full(Path(url.database or "")):
        raise DatabaseNotReady(
            f"The database {url.render_as_string()} cannot be written: "
            "the disk is full.",
            "Make room on it. It is tried again by itself.",
        )


def _sqlite_engine(url: URL, create: bool) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("a SQLite database must be a file: other processes read it")
    path = Path(url.database)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "do_connect")
    def before_connect(*_: object) -> None:
        prepare_file(path, create)

    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_pragmas(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # Python's sqlite3 begins transactions by itself, late, and never for SELECT:
    # two queries would see two moments, and a reader that turns writer fails with
    # "database is locked" at once. Without an isolation level it leaves BEGIN to us.
    connection.isolation_level = None
    _use_wal(connection)
    for pragma in (
        "synchronous = NORMAL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: DBAPIConnection) -> None:
    # SQLite does not wait when a new file becomes WAL: of two that do it at once,
    # one is told that the database is locked, whatever its busy timeout is.
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            is_taken = error.sqlite_errorcode & 0xFF in _TAKEN
            if not is_taken or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get(_BEGIN, "BEGIN")
    connection.exec_driver_sql(begin)


def _postgresql_engine(url: URL, pool_size: int) -> Engine:
    return create_engine(
        url,
        pool_size=pool_size,
        # A restarted server costs a reconnect, not an error on somebody's page.
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "kqi-hub",
            # Each statement is planned for its own values: the plan for any values that
            # a prepared one gets in the end may read all that a person ever ran.
            "prepare_threshold": None,
            # Notice a server that vanished without a word within half a minute.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 4,
        },
    )


def _explain(context: ExceptionContext) -> None:
    if context.is_pre_ping:
        return  # the pool asks whether a connection still lives, and replaces it
    fault = context.original_exception
    where = _where(context)
    if isinstance(fault, _SCHEMA_ERRORS) or _lacks_schema(fault):
        raise DatabaseNotReady(
            f"{where} lacks a table or column: {_first_line(fault)}.",
            "Run: kqi-hub db upgrade",
        ) from fault
    if isinstance(fault, _DOWN_ERRORS) and not isinstance(fault, _BUG_ERRORS):
        raise DatabaseNotReady(
            f"{where} does not answer as it should: {_why(context, fault)}.",
            "Check that it runs, has room on its disk, and that the service user may "
            "use it.",
        ) from fault


def _lacks_schema(fault: BaseException) -> bool:
    return isinstance(fault, sqlite3.OperationalError) and str(fault).startswith(
        ("no such table", "no such column")
    )


def _why(context: ExceptionContext, fault: BaseException) -> str:
    """Return what the database says; of a full disk SQLite may say something else."""
    said = _first_line(fault)
    url = context.engine.url if context.engine is not None else None
    file = url.database if url and isinstance(fault, sqlite3.Error) else None
    return f"the disk is full ({said})" if file and is_full(Path(file)) else said


def _where(context: ExceptionContext) -> str:
    url: Any = context.engine.url if context.engine is not None else None
    return f"The database {url.render_as_string()}" if url else "The database"


def _first_line(fault: BaseException) -> str:
    return (str(fault).splitlines() or [type(fault).__name__])[0].rstrip(".")
