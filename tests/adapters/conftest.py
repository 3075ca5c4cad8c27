"""An empty database is made once, and copied for each test that wants one.

Making it by every migration takes longer than most tests; those of the schema itself
(db/test_schema.py) do it all the same.
"""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, create_engine, inspect, text

from kqi_hub.db import schema
from kqi_hub.db.engine import make_engine

Upgraded = tuple[str | None, str]
_MIGRATES = "test_schema"
_TEMPLATE = "kqi_all_tables"
_upgrade = schema.upgrade


@pytest.fixture(scope="session")
def all_tables(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Return what gives a file with all tables in it, made when first asked for."""
    file = tmp_path_factory.mktemp("tables") / "kqi.sqlite"

    def made() -> Path:
        if not file.exists():
            engine = make_engine(f"sqlite:///{file}", create=True)
            _upgrade(engine)
            engine.dispose()
        return file

    return made


@pytest.fixture(autouse=True)
def tables_are_copied(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    all_tables: Callable[[], Path],
) -> None:
    """Let `schema.upgrade` fill an empty database from the one that is made."""
    if request.path.stem != _MIGRATES:
        monkeypatch.setattr(schema, "upgrade", partial(_copy, all_tables))


def _copy(
    made: Callable[[], Path],
    engine: Engine,
    target: str = "head",
    scripts: str = schema.SCRIPTS,
) -> Upgraded:
    if (target, scripts) == ("head", schema.SCRIPTS) and (
        _copied(made(), engine) if engine.dialect.name == "sqlite" else _cloned(engine)
    ):
        return None, schema.head_revision()
    return _upgrade(engine, target, scripts)


def _copied(made: Path, engine: Engine) -> bool:
    """Fill the engine's database, if it is empty; tell whether it was."""
    with engine.connect() as connection:
        into = connection.connection.driver_connection
        assert isinstance(into, sqlite3.Connection)
        if into.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return False
        source = sqlite3.connect(made)
        try:
            source.backup(into)
        finally:
            source.close()
    engine.dispose()
    return True


def _cloned(engine: Engine) -> bool:
    """Do the same on PostgreSQL: there a new database is the copy of another."""
    with engine.connect() as connection:
        if inspect(connection).get_table_names():
            return False
    engine.dispose()
    server = create_engine(
        engine.url.set(database="postgres"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )
    with server.connect() as connection:
        named = text("SELECT 1 FROM pg_database WHERE datname = :name")
        if connection.scalar(named, {"name": _TEMPLATE}) is None:
            connection.exec_driver_sql(f"CREATE DATABASE {_TEMPLATE}")
            template = engine.url.set(database=_TEMPLATE)
            _upgrade(make_engine(template.render_as_string(hide_password=False)))
        name = engine.url.database
        connection.exec_driver_sql(f'DROP DATABASE "{name}"')
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE {_TEMPLATE}')
    return True
