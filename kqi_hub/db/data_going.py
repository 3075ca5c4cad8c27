"""Data items and files that go: gone for people at once, from the store soon."""

from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import Final

from sqlalchemy import Connection, and_, delete, insert, select, update

from kqi_hub.db.data_rows import (
    CHUNK,
    FILES,
    ITEMS,
    REMOVALS,
    UPLOADS,
    delete_item,
    held_item,
    in_chunks,
    known_item,
    later,
    refuse_busy,
)
from kqi_hub.db.data_users import DataUsers
from kqi_hub.domain.data import DataItem, DataState, UploadState
from kqi_hub.domain.data_errors import (
    Blocked,
    data_busy,
    no_file,
    not_changeable,
    not_deletable,
)
from kqi_hub.domain.data_item_ports import Removal
from kqi_hub.domain.dataset_ports import Blocker

_I, _F, _R, _U = ITEMS.c, FILES.c, REMOVALS.c, UPLOADS.c
_REMOVING: Final = DataState.REMOVING.value


def begin_removal(
    connection: Connection, users: DataUsers, data_id: int, now: float
) -> DataItem:
    """Make an item REMOVING, end its uploads, and take it out of datasets."""
    found = held_item(connection, data_id, DataState.READY, DataState.REMOVING)
    if found.state is DataState.REMOVING:
        return found
    refuse_blocked(connection, users, found, not_deletable)
    _end_uploads(connection, data_id, now)
    users.forget(connection, data_id)
    removing = {"state": _REMOVING, "changed_at": later(_I.changed_at, now)}
    connection.execute(update(ITEMS).where(_I.number == data_id).values(removing))
    return known_item(connection, data_id)


def forget_some(connection: Connection, data_id: int) -> bool:
    """Remove a part of a REMOVING item's rows; False when nothing is left to do."""
    is_removing = select(_I.number).where(_I.number == data_id, _I.state == _REMOVING)
    if connection.scalar(is_removing.with_for_update()) is None:
        return False
    some = select(_F.path).where(_F.data_id == data_id).limit(CHUNK)
    statement = delete(FILES).where(_F.data_id == data_id, _F.path.in_(some))
    if connection.execute(statement).rowcount == CHUNK:
        return True
    delete_item(connection, data_id)
    return False


def take_files(
    connection: Connection,
    users: DataUsers,
    data_id: int,
    paths: Sequence[str],
    now: float,
) -> DataItem:
    """Take files off an item, and remember that the store still has them."""
    found = held_item(connection, data_id, DataState.READY)
    refuse_blocked(connection, users, found)
    refuse_busy(connection, data_id)
    sizes: dict[str, int] = {}
    for part in in_chunks(paths):
        theirs = and_(_F.data_id == data_id, _F.path.in_(part))
        rows = connection.execute(select(_F.path, _F.size).where(theirs))
        sizes.update((row.path, row.size) for row in rows)
        connection.execute(delete(FILES).where(theirs))
    _refuse_missing(paths, sizes)
    rows_to_be = [{"data_id": data_id, "path": p, "asked_at": now} for p in sizes]
    connection.execute(insert(REMOVALS), rows_to_be)
    changed = {
        "files": _I.files - len(sizes),
        "bytes": _I.bytes - sum(sizes.values()),
        "version": _I.version + 1,
        "changed_at": later(_I.changed_at, now),
    }
    connection.execute(update(ITEMS).where(_I.number == data_id).values(changed))
    return known_item(connection, data_id)


def removals(connection: Connection, before: float, limit: int) -> tuple[Removal, ...]:
    """Return files taken before a moment that are still in the store."""
    query = (
        select(_R.data_id, _I.tenant, _R.path)
        .join_from(REMOVALS, ITEMS, _I.number == _R.data_id)
        .where(_R.asked_at < before)
        .order_by(_R.data_id, _R.path)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    return tuple(
        Removal(data_id, tenant, tuple(row.path for row in group))
        for (data_id, tenant), group in groupby(
            rows, key=lambda row: (row.data_id, row.tenant)
        )
    )


def files_gone(connection: Connection, data_id: int, paths: Sequence[str]) -> None:
    """Note that files taken are no longer in the store."""
    for part in in_chunks(paths):
        theirs = and_(_R.data_id == data_id, _R.path.in_(part))
        connection.execute(delete(REMOVALS).where(theirs))


def _end_uploads(connection: Connection, data_id: int, now: float) -> None:
    publishing = select(_U.key).where(
        _U.data_id == data_id, _U.state == UploadState.PUBLISHING.value
    )
    if connection.execute(publishing.limit(1)).first() is not None:
        raise data_busy()
    statement = update(UPLOADS).where(
        _U.data_id == data_id, _U.state == UploadState.OPEN.value
    )
    ended = {"state": UploadState.DROPPED.value, "changed_at": now, "is_kept": True}
    connection.execute(statement.values(ended))


def refuse_blocked(
    connection: Connection,
    users: DataUsers,
    item: DataItem,
    refusal: Callable[[int, tuple[Blocker, ...]], Blocked] = not_changeable,
) -> None:
    """Raise Blocked when something needs an item as it is (KX-53)."""
    blockers = users.blockers(connection, [item.id]).get(item.id, ())
    if blockers:
        raise refusal(item.id, blockers)


def _refuse_missing(paths: Sequence[str], found: Collection[str]) -> None:
    missing = [path for path in paths if path not in found]
    if missing:
        raise no_file(missing[0])
