"""Pages of what is in a dataset: its items, and the files that a job would see."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from sqlalchemy import Connection, Row, Select, Table, and_, select, tuple_

from kqi_hub.db.data_tables import DataFileRow, DataTagRow
from kqi_hub.db.dataset_rows import ENTRIES, ITEMS
from kqi_hub.domain.data import Placed
from kqi_hub.domain.dataset_ports import DatasetItem, PathPair, Seen
from kqi_hub.domain.datasets import folder_of

_TAGS: Final = cast(Table, DataTagRow.__table__)
_FILES: Final = cast(Table, DataFileRow.__table__)
_E, _I, _F, _T = ENTRIES.c, ITEMS.c, _FILES.c, _TAGS.c
# So many entries are read at once while files are gathered.
_CHUNK: Final = 500


def items_page(
    connection: Connection,
    dataset_id: int,
    type_: str | None,
    after: Seen | None,
    limit: int,
) -> tuple[DatasetItem, ...]:
    """Return a page of the items, by type and number."""
    rows = _entries(connection, dataset_id, after, limit, type_)
    tags = _tags(connection, [row.data_id for row in rows])
    return tuple(
        DatasetItem(
            placed=Placed(row.type, row.data_id),
            name=row.name,
            tags=tuple(tags.get(row.data_id, ())),
            files=row.files,
            bytes=row.bytes,
            version=row.version,
        )
        for row in rows
    )


def paths_page(
    connection: Connection, dataset_id: int, after: Seen | None, limit: int
) -> tuple[PathPair, ...]:
    """Return a page of the files, by type, item and path."""
    found: list[PathPair] = []
    if after is not None and after.path:
        found += _rest_of_item(connection, dataset_id, after, limit)
    while len(found) < limit:
        entries = _entries(connection, dataset_id, after, _CHUNK)
        if not entries:
            break
        for group in _groups(entries, limit):
            found += _files_of(connection, group, limit - len(found))
        after = Seen(entries[-1].type, entries[-1].data_id)
    return tuple(found[:limit])


def _entries(
    connection: Connection,
    dataset_id: int,
    after: Seen | None,
    limit: int,
    type_: str | None = None,
) -> Sequence[Row[Any]]:
    """Return entries with their items, those behind `after`."""
    query: Select[Any] = (
        select(_E.type, _E.data_id, _I.name, _I.files, _I.bytes, _I.version)
        .join_from(ENTRIES, ITEMS, and_(_I.number == _E.data_id))
        .where(_E.dataset == dataset_id)
        .order_by(_E.type, _E.data_id)
        .limit(limit)
    )
    if type_ is not None:
        query = query.where(_E.type == type_)
    if after is not None:
        place = tuple_(_E.type, _E.data_id)
        query = query.where(place > tuple_(after.type, after.data_id))
    return connection.execute(query).all()


def _tags(connection: Connection, data_ids: Sequence[int]) -> dict[int, list[str]]:
    tags: dict[int, list[str]] = {}
    query = select(_T.data_id, _T.tag).where(_T.data_id.in_(set(data_ids)))
    for row in connection.execute(query.order_by(_T.tag)):
        tags.setdefault(row.data_id, []).append(row.tag)
    return tags


def _rest_of_item(
    connection: Connection, dataset_id: int, after: Seen, limit: int
) -> Iterator[PathPair]:
    """Yield the files behind a path in the item in which the last page ended."""
    query = (
        select(_E.type, _E.data_id, _I.name, _F.path, _F.size)
        .join_from(ENTRIES, ITEMS, and_(_I.number == _E.data_id))
        .join(_FILES, and_(_F.data_id == _I.number, _F.version <= _I.version))
        .where(
            _E.dataset == dataset_id,
            _E.type == after.type,
            _E.data_id == after.data_id,
            _F.path > after.path,
        )
        .order_by(_F.path)
        .limit(limit)
    )
    for row in connection.execute(query):
        yield _pair_of(row.type, row.data_id, row.name, row.path, row.size)


def _groups(entries: Sequence[Row[Any]], most: int) -> Iterator[list[Row[Any]]]:
    """Cut entries into runs of one type with about so many files."""
    group: list[Row[Any]] = []
    files = 0
    for one in entries:
        if group and (group[-1].type != one.type or files >= most):
            yield group
            group, files = [], 0
        group.append(one)
        files += one.files
    if group:
        yield group


def _files_of(
    connection: Connection, group: Sequence[Row[Any]], limit: int
) -> Iterator[PathPair]:
    if limit <= 0:
        return
    known = {one.data_id: one for one in group}
    query = (
        select(_F.data_id, _F.path, _F.size)
        .join_from(_FILES, ITEMS, and_(_F.data_id == _I.number))
        .where(_F.data_id.in_(known), _F.version <= _I.version)
        .order_by(_F.data_id, _F.path)
        .limit(limit)
    )
    for row in connection.execute(query):
        item = known[row.data_id]
        yield _pair_of(item.type, row.data_id, item.name, row.path, row.size)


def _pair_of(type_: str, data_id: int, name: str, path: str, size: int) -> PathPair:
    place = folder_of(Placed(type_, data_id))
    return PathPair(f"{place}/{path}", data_id, name, path, size, type_)
