"""Between rows and data items: what a row says, with its tags and parents."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    case,
    delete,
    func,
    select,
)

from kqi_hub.db.data_tables import (
    DataFileRow,
    DataItemRow,
    DataParentRow,
    DataRemovalRow,
    DataTagRow,
    UploadRow,
)
from kqi_hub.db.tenant_lock import hold_tenant
from kqi_hub.domain.data import (
    DataItem,
    DataState,
    Origin,
    StoredFile,
    Upload,
    UploadState,
)
from kqi_hub.domain.data_errors import data_busy, no_data

ITEMS: Final = cast(Table, DataItemRow.__table__)
TAGS: Final = cast(Table, DataTagRow.__table__)
PARENTS: Final = cast(Table, DataParentRow.__table__)
FILES: Final = cast(Table, DataFileRow.__table__)
REMOVALS: Final = cast(Table, DataRemovalRow.__table__)
UPLOADS: Final = cast(Table, UploadRow.__table__)
# What a statement takes at once: SQLite's limit is 32,766 values.
CHUNK: Final = 5000
UNDER_WAY: Final = (UploadState.OPEN.value, UploadState.PUBLISHING.value)
# Double precision at our times tells a quarter of a microsecond.
_TICK: Final = 1e-6


def items_of(connection: Connection, query: Select[Any]) -> tuple[DataItem, ...]:
    """Return the items that a query of all columns of ITEMS selects."""
    rows = connection.execute(query).all()
    ids = [row.number for row in rows]
    tags = _beside(connection, TAGS.c.data_id, TAGS.c.tag, ids)
    parents = _beside(connection, PARENTS.c.data_id, PARENTS.c.parent, ids)
    return tuple(
        _item(row, tags.get(row.number, ()), parents.get(row.number, ()))
        for row in rows
    )


def known_item(connection: Connection, data_id: int) -> DataItem:
    """Return an item of any state; NotFound if there is none."""
    found = items_of(connection, select(ITEMS).where(ITEMS.c.number == data_id))
    if not found:
        raise no_data()
    return found[0]


def held_item(connection: Connection, data_id: int, *states: DataState) -> DataItem:
    """Hold the item's tenant and return the item; NotFound in other states."""
    query = select(ITEMS.c.tenant).where(ITEMS.c.number == data_id)
    tenant = connection.scalar(query)
    if tenant is None:
        raise no_data()
    hold_tenant(connection, tenant)
    found = known_item(connection, data_id)
    if found.state not in states:
        raise no_data()
    return found


def refuse_busy(connection: Connection, data_id: int) -> None:
    """Raise Conflict while files of an item are being added or taken."""
    publishing = select(UPLOADS.c.key).where(
        UPLOADS.c.data_id == data_id,
        UPLOADS.c.state == UploadState.PUBLISHING.value,
    )
    taken = select(REMOVALS.c.path).where(REMOVALS.c.data_id == data_id)
    for query in (publishing, taken):
        if connection.execute(query.limit(1)).first() is not None:
            raise data_busy()


def delete_item(connection: Connection, data_id: int) -> None:
    """Remove an item whose files nobody has, and what stands beside it."""
    for column in (
        FILES.c.data_id,
        REMOVALS.c.data_id,
        TAGS.c.data_id,
        PARENTS.c.data_id,
        ITEMS.c.number,
    ):
        connection.execute(delete(column.table).where(column == data_id))


def upload_of(row: Row[Any]) -> Upload:
    """Read a row of UPLOADS."""
    return Upload(
        key=row.key,
        data_id=row.data_id,
        tenant=row.tenant,
        person=row.person,
        state=UploadState(row.state),
        files=row.files,
        bytes=row.bytes,
        began_at=row.began_at,
        expires_at=row.expires_at,
    )


def file_of(row: Row[Any]) -> StoredFile:
    """Read a row of FILES."""
    return StoredFile(row.path, row.size, row.sha256)


def later(column: ColumnElement[float], now: float) -> ColumnElement[float]:
    """Return now, or a tick after what a column says: two changes are two moments."""
    return case((column < now, now), else_=column + _TICK)


def total(column: ColumnElement[int]) -> ColumnElement[int]:
    """Return the sum of a column, 0 of no rows, as a whole number."""
    # PostgreSQL sums bigints to a numeric, which comes as a Decimal.
    return func.cast(func.coalesce(func.sum(column), 0), column.type)


def in_chunks(paths: Sequence[str]) -> Iterable[Sequence[str]]:
    """Return the paths in parts that fit into a statement."""
    return (paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK))


def _beside(
    connection: Connection,
    data_id: ColumnElement[int],
    value: ColumnElement[Any],
    ids: Sequence[int],
) -> Mapping[int, Sequence[Any]]:
    found: dict[int, list[Any]] = {}
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        query = select(data_id, value).where(data_id.in_(part)).order_by(value)
        for number, one in connection.execute(query):
            found.setdefault(number, []).append(one)
    return found


def _item(row: Row[Any], tags: Sequence[str], parents: Sequence[int]) -> DataItem:
    return DataItem(
        id=row.number,
        tenant=row.tenant,
        name=row.name,
        memo=row.memo,
        # The order of Python: that of a database depends on its language.
        tags=tuple(sorted(tags)),
        state=DataState(row.state),
        origin=Origin(row.origin),
        files=row.files,
        bytes=row.bytes,
        version=row.version,
        created_by=row.created_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
        parents=tuple(parents),
    )
