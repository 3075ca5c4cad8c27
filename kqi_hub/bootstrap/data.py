"""Data and uploads, joined: for the portal's process, and for the worker's."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from kqi_hub.bootstrap.database import open_database
from kqi_hub.bootstrap.store import open_store, ticket_key
from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.data_blockers import DatasetUsers, SqlBlockers
from kqi_hub.db.data_items import SqlDataStore
from kqi_hub.db.trees import SqlTreeStore
from kqi_hub.db.uploads import SqlUploadStore
from kqi_hub.domain.data_item_ports import DataStore
from kqi_hub.domain.upload_ports import Quota, Quotas
from kqi_hub.services.data import DataItems
from kqi_hub.services.data_keeping import DataKeeper, KeepingTimes
from kqi_hub.services.data_use import DataUse
from kqi_hub.services.publishing import Publisher
from kqi_hub.services.uploads import Uploads
from kqi_hub.settings.model import Settings

_GB: Final = 1024**3
_DAY_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class DataParts:
    """What the routes of data call."""

    items: DataItems
    uploads: Uploads
    use: DataUse


def open_data(settings: Settings, engine: Engine) -> DataParts:
    """Return the data of this process, on its database."""
    users = DatasetUsers()
    rows, uploads = SqlDataStore(engine, users), SqlUploadStore(engine, users)
    store, audit = open_store(settings), SqlAuditLog(engine)
    quotas = quotas_of(settings)
    return DataParts(
        items=DataItems(
            rows,
            uploads,
            store,
            SqlBlockers(engine),
            audit,
            ZoneInfo(settings.site.timezone),
        ),
        uploads=Uploads(
            uploads,
            rows,
            store,
            Publisher(uploads, rows, store),
            partial(ticket_key, settings),
            quotas,
            audit,
            expire_s=settings.store.upload_days * _DAY_S,
        ),
        use=DataUse(rows, store, quotas, settings.store.warn_percent),
    )


def open_data_keeper(settings: Settings) -> DataKeeper:
    """Return what ends in the worker what was begun with data."""
    engine, users = open_database(settings), DatasetUsers()
    rows, uploads = SqlDataStore(engine, users), SqlUploadStore(engine, users)
    store = open_store(settings)
    return DataKeeper(
        rows,
        uploads,
        store,
        Publisher(uploads, rows, store),
        trees=SqlTreeStore(engine).keys,
        times=KeepingTimes(expire_s=settings.store.upload_days * _DAY_S),
    )


def open_data_store(settings: Settings) -> DataStore:
    """Return the data items of the database, for the doctor."""
    return SqlDataStore(open_database(settings), DatasetUsers())


def quotas_of(settings: Settings) -> Callable[[str], Quotas]:
    """Return what tells the quotas that hold in a tenant."""
    table = settings.store
    own = {one.tenant: Quota(one.files, _bytes(one.gb)) for one in settings.store_quota}
    usual = Quota(table.tenant_files, _bytes(table.tenant_gb))
    person = Quota(table.person_files, _bytes(table.person_gb))
    return lambda tenant: Quotas(own.get(tenant, usual), person)


def _bytes(gb: int | None) -> int | None:
    return None if gb is None else gb * _GB
