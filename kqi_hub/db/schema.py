"""Bring the database to the schema that this version needs, or say why it is not."""

import importlib
import pkgutil
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, inspect, text

import kqi_hub.db
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.tables import Base
from kqi_hub.domain.errors import DatabaseNotReady

VERSION_TABLE: Final = "kqi_schema"
SCRIPTS: Final = "kqi_hub.db:migrations"
# Any number will do, as long as two upgrades take the same one.
_UPGRADE_LOCK: Final = 0x6B7169
_UPGRADE: Final = "Stop the portal's services, make a backup, run: kqi-hub db upgrade"


def head_revision(scripts: str = SCRIPTS) -> str:
    """Return the schema's revision that this version of the code needs."""
    head = _directory(scripts).get_current_head()
    if head is None:
        raise LookupError("the package holds no migration")
    return head


def all_tables() -> MetaData:
    """Return every table of the code, from each module whose name ends in `tables`."""
    for module in pkgutil.iter_modules(kqi_hub.db.__path__):
        if module.name.endswith("tables"):
            importlib.import_module(f"kqi_hub.db.{module.name}")
    return Base.metadata


def check(engine: Engine, scripts: str = SCRIPTS) -> str:
    """Return the revision when it is the one needed, else raise DatabaseNotReady."""
    with reading(engine) as connection:
        current = _current(connection)
    needed = head_revision(scripts)
    if current is None:
        raise DatabaseNotReady(
            "The database holds no tables of the portal yet.",
            "Run: kqi-hub db upgrade",
        )
    if current != needed:
        _refuse_newer(current, scripts)
        raise DatabaseNotReady(
            f"The database has schema {current}, this version needs {needed}.", _UPGRADE
        )
    return current


def upgrade(
    engine: Engine, target: str = "head", scripts: str = SCRIPTS
) -> tuple[str | None, str]:
    """Migrate in one transaction; return the revisions before and after.

    A migration that fails leaves the database as it was. Two upgrades at once are
    harmless: the second one waits and finds nothing to do.
    """
    try:
        with writing(engine, migrating=True) as connection:
            _take_upgrade_lock(connection)
            before = _current(connection)
            _refuse_foreign(connection, before)
            if before is not None:
                _refuse_newer(before, scripts)
            _run_migrations(connection, target, scripts)
            after = _current(connection)
    finally:
        # Foreign keys do not bind on that connection: nobody may get it again.
        engine.dispose()
    return before, after or ""


def write_migration(engine: Engine, message: str, scripts: str = SCRIPTS) -> Path:
    """Write the migration that makes an up-to-date database that of the tables."""
    number = int(head_revision(scripts)) + 1
    config = _config(scripts)
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        written = command.revision(
            config, message, autogenerate=True, rev_id=f"{number:04d}"
        )
    if not isinstance(written, Script):
        raise TypeError("alembic wrote no file, or several")
    return Path(written.path)


def _run_migrations(connection: Connection, target: str, scripts: str) -> None:
    config = _config(scripts)
    config.attributes["connection"] = connection
    command.upgrade(config, target)
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise DatabaseNotReady(
                f"After the upgrade {len(broken)} rows would refer to rows that are "
                f"not there, the first in table {broken[0][0]}. Nothing was changed."
            )


def _take_upgrade_lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK}
        )


def _current(connection: Connection) -> str | None:
    context = MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE}
    )
    return context.get_current_revision()


def _refuse_newer(current: str, scripts: str) -> None:
    known = {script.revision for script in _directory(scripts).walk_revisions()}
    if current not in known:
        raise DatabaseNotReady(
            f"The database is newer than this version of KQI Hub: it has schema "
            f"{current}, this version knows up to {head_revision(scripts)}.",
            "Install the version that upgraded it, or restore the backup made before.",
        )


def _refuse_foreign(connection: Connection, current: str | None) -> None:
    """Refuse to move in with another program, JupyterHub above all."""
    tables = inspect(connection).get_table_names()
    if current is None and tables:
        raise DatabaseNotReady(
            f"The database already holds tables of another program "
            f"({', '.join(sorted(tables)[:3])}).",
            "Give the portal a database of its own in [database] url.",
        )


def _directory(scripts: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(scripts))


def _config(scripts: str) -> Config:
    config = Config()
    # Alembic's configuration takes % for a place to fill in.
    config.set_main_option("script_location", scripts.replace("%", "%%"))
    return config
