"""The portal's database and the picture in it."""

from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.associations import SqlAssociationStore
from kqi_hub.db.engine import check_room, make_engine
from kqi_hub.db.notebook_sessions import SqlSessionStore
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.ports import SnapshotStore
from kqi_hub.settings.model import Settings
from kqi_hub.settings.secrets import read_secret


def open_database(settings: Settings, create: bool = False) -> Engine:
    """Return the database's engine; nothing is connected yet."""
    database = settings.database
    secret = database.password_file
    return make_engine(
        database.url,
        password=None if secret is None else read_secret(secret),
        pool_size=database.pool_size,
        create=create,
    )


def upgrade_database(settings: Settings) -> tuple[str | None, str]:
    """Bring the schema up to this version; return the revisions before and after."""
    return schema.upgrade(open_database(settings, create=True))


def check_database(settings: Settings) -> str:
    """Return the schema's revision, or raise DatabaseNotReady saying what to do."""
    engine = open_database(settings)
    try:
        return schema.check(engine)
    finally:
        engine.dispose()


def check_writable(settings: Settings) -> None:
    """Raise DatabaseNotReady where the database cannot be used, or its disk is full."""
    check_database(settings)
    check_room(open_database(settings))


def open_snapshot_store(settings: Settings) -> SnapshotStore:
    """Return where the picture of the cluster is kept."""
    return SqlSnapshotStore(
        open_database(settings),
        settings.cluster.name,
        keep_ended_s=settings.cluster.keep_ended_hours * 3600,
    )


def open_association_store(
    settings: Settings, engine: Engine | None = None
) -> SqlAssociationStore:
    """Return where it is kept who may submit to which account."""
    opened = engine or open_database(settings)
    return SqlAssociationStore(opened, settings.cluster.name)


def open_session_store(
    settings: Settings, engine: Engine | None = None
) -> SqlSessionStore:
    """Return where sessions of notebooks are kept."""
    return SqlSessionStore(engine or open_database(settings))
