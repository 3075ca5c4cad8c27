"""Opening databases, transactions that see one moment, and faults in plain words."""

import os
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from kqi_hub.db.engine import make_engine, reading, writing
from kqi_hub.domain.errors import DatabaseNotReady

STRANGER = 54321


@pytest.fixture
def counter(engine: Engine) -> Engine:
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE counter (value INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    return engine


def value(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(text("SELECT value FROM counter")).scalar_one())


def test_a_reader_sees_one_moment_while_others_write(counter: Engine) -> None:
    query = text("SELECT value FROM counter")
    with reading(counter) as reader:
        before = reader.execute(query).scalar_one()
        with writing(counter) as writer:
            writer.execute(text("UPDATE counter SET value = 7"))
        after = reader.execute(query).scalar_one()
    assert (before, after) == (0, 0)
    assert value(counter) == 7


def test_an_error_undoes_the_whole_transaction(counter: Engine) -> None:
    with pytest.raises(ZeroDivisionError), writing(counter) as writer:
        writer.execute(text("UPDATE counter SET value = 7"))
        raise ZeroDivisionError
    assert value(counter) == 0


def test_an_error_undoes_data_definition_too(counter: Engine) -> None:
    with pytest.raises(ZeroDivisionError), writing(counter) as writer:
        writer.execute(text("DROP TABLE counter"))
        raise ZeroDivisionError
    assert value(counter) == 0


def test_writers_that_read_first_wait_for_each_other(
    counter: Engine, database_url: str
) -> None:
    # The trap that BEGIN IMMEDIATE is for: two readers that both turn writer.
    query = text("SELECT value FROM counter")
    if database_url.startswith("postgresql"):
        query = text("SELECT value FROM counter FOR UPDATE")

    def add_one_25_times() -> None:
        for _ in range(25):
            with writing(counter) as writer:
                found = writer.execute(query).scalar_one()
                writer.execute(text("UPDATE counter SET value = :v"), {"v": found + 1})

    threads = [threading.Thread(target=add_one_25_times) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(counter) == 100


def test_a_missing_table_is_told_with_the_command_that_makes_it(engine: Engine) -> None:
    with pytest.raises(DatabaseNotReady, match="kqi-hub db upgrade") as caught:
        value(engine)
    assert "counter" in caught.value.message


def test_sqlite_is_opened_with_wal_foreign_keys_and_a_busy_timeout(
    tmp_path: Path,
) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/kqi.sqlite", create=True)
    with reading(engine) as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    engine.dispose()
    assert found == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "busy_timeout": 15000,
        "synchronous": 1,
    }


def test_a_new_sqlite_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/kqi.sqlite", create=True)
    old_umask = os.umask(0)
    try:
        with writing(engine) as connection:
            connection.execute(text("CREATE TABLE t (a)"))
            modes = {
                path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()
            }
    finally:
        os.umask(old_umask)
        engine.dispose()
    assert modes == {
        "kqi.sqlite": 0o600,
        "kqi.sqlite-wal": 0o600,
        "kqi.sqlite-shm": 0o600,
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
def test_a_file_made_by_root_belongs_to_the_folders_owner(tmp_path: Path) -> None:
    os.chown(tmp_path, STRANGER, STRANGER)
    engine = make_engine(f"sqlite:///{tmp_path}/kqi.sqlite", create=True)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE t (a)"))
        owners = {path.name: path.stat().st_uid for path in tmp_path.iterdir()}
    engine.dispose()
    assert set(owners.values()) == {STRANGER}
    assert len(owners) == 3


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o666])
def test_a_sqlite_file_that_anybody_may_open_is_refused(
    tmp_path: Path, mode: int
) -> None:
    path = tmp_path / "kqi.sqlite"
    path.touch()
    path.chmod(mode)
    with pytest.raises(DatabaseNotReady, match="Anybody may open") as caught:
        value(make_engine(f"sqlite:///{path}"))
    assert f"chmod 0600 {path}" in caught.value.hint


def test_a_missing_sqlite_file_is_not_made_by_looking(tmp_path: Path) -> None:
    path = tmp_path / "kqi.sqlite"
    with pytest.raises(DatabaseNotReady, match=r"There is no database file"):
        value(make_engine(f"sqlite:///{path}"))
    assert not path.exists()


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "kqi.sqlite"
    with pytest.raises(DatabaseNotReady, match="must exist"):
        value(make_engine(f"sqlite:///{path}", create=True))


def test_a_link_in_place_of_the_sqlite_file_is_refused(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "kqi.sqlite"
    target.touch(0o600)
    link.symlink_to(target)
    with pytest.raises(DatabaseNotReady, match="no link"):
        value(make_engine(f"sqlite:///{link}", create=True))


def test_a_fifo_in_place_of_the_sqlite_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "kqi.sqlite", 0o600)
    with pytest.raises(DatabaseNotReady, match="not a regular file"):
        value(make_engine(f"sqlite:///{tmp_path}/kqi.sqlite"))


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "kqi.sqlite"
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    path.chmod(0o600)
    with pytest.raises(DatabaseNotReady, match="file is not a database"):
        value(make_engine(f"sqlite:///{path}"))


def test_a_database_held_by_another_writer_is_told(
    sqlite_url: str, tmp_path: Path
) -> None:
    engine = make_engine(sqlite_url, create=True)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE t (a)"))
    holder = sqlite3.connect(tmp_path / "kqi.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA busy_timeout = 50")
        with pytest.raises(DatabaseNotReady, match="database is locked"):
            connection.execute(text("INSERT INTO t VALUES (1)"))
    holder.close()
    engine.dispose()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be a file"):
        make_engine(url)


def test_an_unreachable_server_is_told_without_the_password(tmp_path: Path) -> None:
    engine = make_engine(
        f"postgresql+psycopg://kqi@/kqi?host={tmp_path}", password="hunter2"
    )
    with pytest.raises(DatabaseNotReady, match="does not answer") as caught:
        value(engine)
    assert "hunter2" not in str(caught.value)
    assert "***" in caught.value.message


def test_a_connection_that_the_server_cut_is_replaced(postgresql_url: str) -> None:
    engine, other = make_engine(postgresql_url), make_engine(postgresql_url)
    pid = text("SELECT pg_backend_pid()")
    with reading(engine) as connection:
        first = connection.execute(pid).scalar_one()
    with reading(other) as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": first})
    with reading(engine) as connection:
        second = connection.execute(pid).scalar_one()
    engine.dispose()
    other.dispose()
    assert first != second


def test_no_statement_gets_a_plan_for_any_values(postgresql_url: str) -> None:
    engine = make_engine(postgresql_url)
    prepared = text("SELECT count(*) FROM pg_prepared_statements")
    with reading(engine) as connection:
        for number in range(12):
            connection.execute(text("SELECT CAST(:number AS int)"), {"number": number})
        assert connection.scalar(prepared) == 0
    engine.dispose()


def test_any_password_is_handed_to_the_server(postgresql_url: str) -> None:
    password = "p@ss:w/o'r\"d %s\\ 文?#&="
    engine = make_engine(postgresql_url)
    with writing(engine) as connection:
        literal = password.replace("'", "''").replace("%", "%%").replace("\\", "\\\\")
        connection.exec_driver_sql("DROP ROLE IF EXISTS kqi")
        connection.exec_driver_sql(f"CREATE ROLE kqi LOGIN PASSWORD E'{literal}'")
    engine.dispose()
    url = postgresql_url.replace("postgres@", "kqi@")
    theirs = make_engine(url, password=password)
    with reading(theirs) as connection:
        assert connection.scalar(text("SELECT current_user")) == "kqi"
    theirs.dispose()
    with pytest.raises(DatabaseNotReady, match="password authentication failed"):
        value(make_engine(url, password="another"))
