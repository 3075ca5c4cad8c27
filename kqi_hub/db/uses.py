"""Who used what, in the database: what a lock is, and what is kept for lineage."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    and_,
    delete,
    or_,
    select,
    update,
)

from kqi_hub.db.data_tables import DataRemovalRow, UploadRow
from kqi_hub.db.dataset_rows import (
    COUNTS,
    DATASETS,
    ENTRIES,
    USES,
    counts_of,
    no_dataset,
    tenant_of,
)
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.tenant_lock import hold_tenant
from kqi_hub.db.upsert import insert_missing
from kqi_hub.domain.data import Kind, Thing, UploadState, Use
from kqi_hub.domain.errors import Conflict

_U = USES.c


class SqlUseStore:
    """A UseStore (domain/dataset_ports.py); any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, use: Use) -> None:
        """Note a use; the same once more keeps its first time, and may add a lock."""
        if use.locks and use.used.kind is Kind.DATASET:
            self.lock(int(use.used.id), use.by, use.at)
            return
        with writing(self._engine) as connection:
            note_use(connection, use)

    def lock(self, dataset_id: int, by: Thing, now: float) -> None:
        """Note a use that locks the dataset; twice is fine."""
        with writing(self._engine) as connection:
            lock_dataset(connection, dataset_id, by, now)

    def release(self, dataset_id: int, by: Thing) -> None:
        """Let go of a lock and of the use; one that is not there is no error."""
        used = Thing(Kind.DATASET, str(dataset_id))
        with writing(self._engine) as connection:
            connection.execute(delete(USES).where(_is(used, by)))

    def locks(self, dataset_id: int, limit: int = 20) -> tuple[Use, ...]:
        """Return what locks a dataset, oldest first."""
        with reading(self._engine) as connection:
            return tuple(locks_of(connection, dataset_id, limit))

    def forget_uses(self, of: Thing) -> None:
        """Remove every use by a thing and of it: it is deleted."""
        by = and_(_U.by_kind == of.kind.value, _U.by_id == of.id)
        used = and_(_U.used_kind == of.kind.value, _U.used_id == of.id)
        with writing(self._engine) as connection:
            connection.execute(delete(USES).where(or_(by, used)))


def lock_dataset(
    connection: Connection, dataset_id: int, by: Thing, now: float
) -> None:
    """Note a use that locks a dataset, in the transaction that stores who uses it."""
    used = Thing(Kind.DATASET, str(dataset_id))
    hold_tenant(connection, tenant_of(connection, dataset_id))
    counted = counts_of(connection, [dataset_id]).get(dataset_id)
    busy = busy_item(connection, dataset_id)
    if busy is not None:
        raise Conflict(
            "Files are being added to data {data} of dataset {id}, or taken away.",
            "Try again when that is done.",
            data=busy,
            id=dataset_id,
        )
    # From now on these stay true until it is free again.
    statement = update(DATASETS).where(DATASETS.c.number == dataset_id)
    kept = {name: int(getattr(counted, name, 0) or 0) for name in COUNTS}
    if not connection.execute(statement.values(**kept)).rowcount:
        raise no_dataset()
    note_use(connection, Use(used, by, now, locks=True))


def locks_of(connection: Connection, dataset_id: int, limit: int) -> Iterator[Use]:
    """Yield what locks a dataset, oldest first."""
    query = (
        select(USES)
        .where(
            _U.used_kind == Kind.DATASET.value,
            _U.used_id == str(dataset_id),
            _U.locks,
        )
        .order_by(_U.at, _U.by_kind, _U.by_id)
        .limit(limit)
    )
    yield from map(_use, connection.execute(query))


def busy_item(connection: Connection, dataset_id: int) -> int | None:
    """Return an item of a dataset that files are being added to or taken from."""
    mine = select(ENTRIES.c.data_id).where(ENTRIES.c.dataset == dataset_id)
    publishing = select(UploadRow.data_id).where(
        UploadRow.state == UploadState.PUBLISHING.value, UploadRow.data_id.in_(mine)
    )
    taken = select(DataRemovalRow.data_id).where(DataRemovalRow.data_id.in_(mine))
    found: int | None = connection.scalar(publishing.union_all(taken).limit(1))
    return found


def note_use(connection: Connection, use: Use) -> None:
    """Note a use; the same once more keeps its first time, and may add a lock."""
    row = {
        "used_kind": use.used.kind.value,
        "used_id": use.used.id,
        "by_kind": use.by.kind.value,
        "by_id": use.by.id,
        "at": use.at,
        "locks": use.locks,
    }
    connection.execute(insert_missing(connection, USES), row)
    if use.locks:
        locked = update(USES).where(_is(use.used, use.by), ~_U.locks)
        connection.execute(locked.values(locks=True))


def _is(used: Thing, by: Thing) -> ColumnElement[bool]:
    return and_(
        _U.used_kind == used.kind.value,
        _U.used_id == used.id,
        _U.by_kind == by.kind.value,
        _U.by_id == by.id,
    )


def _use(row: Row[Any]) -> Use:
    return Use(
        used=Thing(Kind(row.used_kind), row.used_id),
        by=Thing(Kind(row.by_kind), row.by_id),
        at=row.at,
        locks=row.locks,
    )
