"""SQLite's locks are POSIX locks: closing any handle of a file drops all of them.

Whoever opens the database file beside SQLite thereby takes the locks from its own
connections. The next process that closes the database then deletes the write-ahead log
under them: they read the past for ever, and what they write is lost.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from kqi_hub.db.engine import make_engine, reading, writing

OTHER = """\
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("INSERT INTO t VALUES (2)")
connection.close()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kqi.sqlite"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{path}", create=True)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
        connection.execute(text("INSERT INTO t VALUES (1)"))
    yield engine
    engine.dispose()


def rows(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        return list(connection.scalars(text("SELECT n FROM t ORDER BY n")))


def another_process_writes_and_leaves(path: Path) -> None:
    subprocess.run([sys.executable, "-c", OTHER, path], check=True, timeout=30)


def test_a_second_connection_takes_no_lock_from_the_first(
    engine: Engine, path: Path
) -> None:
    assert rows(engine) == [1]
    with engine.connect(), engine.connect():  # the pool has to open a second one
        another_process_writes_and_leaves(path)
        assert path.with_name("kqi.sqlite-wal").exists()
    assert rows(engine) == [1, 2]


def test_a_second_engine_takes_no_lock_from_the_first(
    engine: Engine, path: Path
) -> None:
    assert rows(engine) == [1]
    second = make_engine(f"sqlite:///{path}")
    assert rows(second) == [1]
    second.dispose()
    another_process_writes_and_leaves(path)
    assert path.with_name("kqi.sqlite-wal").exists()
    assert rows(engine) == [1, 2]
