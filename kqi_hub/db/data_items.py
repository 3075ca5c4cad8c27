"""Data items and their files in the database."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Engine,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    select,
    update,
)

from kqi_hub.db.data_counting import use_by_person, use_of
from kqi_hub.db.data_going import (
    begin_removal,
    files_gone,
    forget_some,
    removals,
    take_files,
)
from kqi_hub.db.data_levels import level_of
from kqi_hub.db.data_rows import (
    CHUNK,
    FILES,
    ITEMS,
    PARENTS,
    REMOVALS,
    TAGS,
    UPLOADS,
    file_of,
    held_item,
    items_of,
    known_item,
    later,
)
from kqi_hub.db.data_tables import ComparisonRow
from kqi_hub.db.data_users import DataUsers
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.list_conditions import in_order, made_as
from kqi_hub.db.upsert import insert_missing, upsert
from kqi_hub.domain.data import (
    DataItem,
    DataState,
    StoredFile,
    StoreUse,
)
from kqi_hub.domain.data_errors import data_changed, no_data
from kqi_hub.domain.data_item_ports import (
    Comparison,
    Entry,
    KnownTag,
    PersonUse,
    Removal,
)
from kqi_hub.domain.data_list import Column, DataFilter

_COMPARISONS: Final = cast(Table, ComparisonRow.__table__)
_I, _F, _T, _U, _R = ITEMS.c, FILES.c, TAGS.c, UPLOADS.c, REMOVALS.c
_IS_READY: Final = _I.state == DataState.READY.value
_SORTED_BY: Final = {
    Column.ID: _I.number,
    Column.NAME: func.lower(_I.name),
    Column.CREATED_AT: _I.created_at,
    Column.CREATED_BY: _I.created_by,
    Column.FILES: _I.files,
    Column.BYTES: _I.bytes,
}


class SqlDataStore:
    """A DataStore (domain/data_item_ports.py); any thread may call it."""

    def __init__(self, engine: Engine, users: DataUsers) -> None:
        self._engine = engine
        self._users = users

    def search(self, wanted: DataFilter) -> tuple[DataItem, ...]:
        """Return the page of those READY items that a filter lets through."""
        order = in_order(
            _SORTED_BY[wanted.sort], _I.number, is_descending=wanted.is_descending
        )
        query = select(ITEMS).where(*_conditions(wanted)).order_by(*order)
        with reading(self._engine) as connection:
            page = query.limit(wanted.limit).offset(wanted.offset)
            return items_of(connection, page)

    def count(self, wanted: DataFilter) -> int:
        """Return how many a filter lets through."""
        query = select(func.count()).select_from(ITEMS).where(*_conditions(wanted))
        with reading(self._engine) as connection:
            return connection.scalar(query) or 0

    def one(self, data_id: int) -> DataItem | None:
        """Return one, whatever its state."""
        return next(iter(self.many([data_id])), None)

    def many(self, data_ids: Collection[int]) -> tuple[DataItem, ...]:
        """Return those of these that are there, by number."""
        found: list[DataItem] = []
        ids = sorted(set(data_ids))
        with reading(self._engine) as connection:
            for start in range(0, len(ids), CHUNK):
                is_one = _I.number.in_(ids[start : start + CHUNK])
                query = select(ITEMS).where(is_one).order_by(_I.number)
                found += items_of(connection, query)
        return tuple(found)

    def change(
        self, data_id: int, name: str, memo: str, seen_at: float, now: float
    ) -> DataItem:
        """Replace name and memo; Conflict if it changed after `seen_at`."""
        statement = (
            update(ITEMS)
            .where(_I.number == data_id, _IS_READY, _I.changed_at <= seen_at)
            .values(name=name, memo=memo, changed_at=later(_I.changed_at, now))
        )
        with writing(self._engine) as connection:
            changed = connection.execute(statement).rowcount
            found = known_item(connection, data_id)
            if found.state is not DataState.READY:
                raise no_data()
            if not changed:
                raise data_changed()
            return found

    def retag(
        self, data_id: int, add: Sequence[str], remove: Sequence[str], now: float
    ) -> DataItem:
        """Add and remove tags; what is there, or not, already is no error."""
        with writing(self._engine) as connection:
            found = held_item(connection, data_id, DataState.READY)
            rows = [
                {"data_id": data_id, "tag": tag, "tenant": found.tenant} for tag in add
            ]
            if rows:
                connection.execute(insert_missing(connection, TAGS), rows)
            if remove:
                is_one = and_(_T.data_id == data_id, _T.tag.in_(remove))
                connection.execute(delete(TAGS).where(is_one))
            statement = update(ITEMS).where(_I.number == data_id)
            moment = later(_I.changed_at, now)
            connection.execute(statement.values(changed_at=moment))
            return known_item(connection, data_id)

    def known_tags(self, tenant: str) -> tuple[KnownTag, ...]:
        """Return the tags that READY items of a tenant have, by name."""
        query = (
            select(_T.tag, func.count())
            .join_from(TAGS, ITEMS, _I.number == _T.data_id)
            .where(_T.tenant == tenant, _IS_READY)
            .group_by(_T.tag)
        )
        with reading(self._engine) as connection:
            found = [KnownTag(tag, items) for tag, items in connection.execute(query)]
        return tuple(sorted(found, key=lambda one: one.name))

    def files(
        self, data_id: int, after: str = "", limit: int = 1000
    ) -> tuple[StoredFile, ...]:
        """Return a page of the files in the order of their paths' bytes."""
        query = _shown(data_id).where(_F.path > after).order_by(_F.path).limit(limit)
        with reading(self._engine) as connection:
            return tuple(map(file_of, connection.execute(query)))

    def file(self, data_id: int, path: str) -> StoredFile | None:
        """Return one file."""
        with reading(self._engine) as connection:
            row = connection.execute(_shown(data_id).where(_F.path == path)).first()
        return None if row is None else file_of(row)

    def level(
        self, data_id: int, folder: str = "", after: str = "", limit: int = 1000
    ) -> tuple[Entry, ...]:
        """Return a page of what lies directly in a folder, after the name `after`."""
        query = select(_I.version).where(_I.number == data_id)
        with reading(self._engine) as connection:
            version = connection.scalar(query)
            if version is None:
                return ()
            return level_of(connection, data_id, version, folder, after, limit)

    def children(self, data_id: int, limit: int = 100) -> tuple[DataItem, ...]:
        """Return the READY items that were made from this one, newest first."""
        made = select(PARENTS.c.data_id).where(PARENTS.c.parent == data_id)
        query = select(ITEMS).where(_IS_READY, _I.number.in_(made))
        with reading(self._engine) as connection:
            page = query.order_by(_I.number.desc()).limit(limit)
            return items_of(connection, page)

    def use(self, tenant: str, person: str | None = None) -> StoreUse:
        """Count what a tenant keeps, or one person in it; no quotas in it."""
        with reading(self._engine) as connection:
            return use_of(connection, tenant, person)

    def use_by_person(self, tenant: str) -> tuple[PersonUse, ...]:
        """Count what each person keeps in a tenant, the most bytes first."""
        with reading(self._engine) as connection:
            return use_by_person(connection, tenant)

    def begin_removal(self, data_id: int, now: float) -> DataItem:
        """Make an item REMOVING: from then on nobody sees it; its uploads end."""
        with writing(self._engine) as connection:
            return begin_removal(connection, self._users, data_id, now)

    def removing(self, limit: int = 100) -> tuple[DataItem, ...]:
        """Return items whose removal has begun."""
        query = select(ITEMS).where(_I.state == DataState.REMOVING.value)
        with reading(self._engine) as connection:
            return items_of(connection, query.order_by(_I.changed_at).limit(limit))

    def forget(self, data_id: int) -> None:
        """Remove a REMOVING item for good; one that is not there is no error."""
        goes_on = True
        # In parts: on SQLite nobody else writes meanwhile.
        while goes_on:
            with writing(self._engine) as connection:
                goes_on = forget_some(connection, data_id)

    def take_files(self, data_id: int, paths: Sequence[str], now: float) -> DataItem:
        """Take files off an item: from then on nobody sees them."""
        with writing(self._engine) as connection:
            return take_files(connection, self._users, data_id, paths, now)

    def removals(self, before: float, limit: int = 5000) -> tuple[Removal, ...]:
        """Return files taken before a moment that are still in the store."""
        with reading(self._engine) as connection:
            return removals(connection, before, limit)

    def files_gone(self, data_id: int, paths: Sequence[str]) -> None:
        """Note that files taken are no longer in the store."""
        with writing(self._engine) as connection:
            files_gone(connection, data_id, paths)

    def tenants(self) -> tuple[str, ...]:
        """Return the tenants that have data."""
        query = select(_I.tenant).union(select(_U.tenant))
        with reading(self._engine) as connection:
            return tuple(sorted(connection.scalars(query)))

    def ids(self, tenant: str) -> tuple[int, ...]:
        """Return all of a tenant's items that the store may have, of any state."""
        query = select(_I.number).where(_I.tenant == tenant).order_by(_I.number)
        with reading(self._engine) as connection:
            return tuple(connection.scalars(query))

    def compared(self, result: Comparison) -> None:
        """Keep the last comparison of a tenant."""
        row = {
            "tenant": result.tenant,
            "at": result.at,
            "strays": result.strays,
            "stray_bytes": result.stray_bytes,
            "missing": tuple(map(str, result.missing)),
            "trouble": result.trouble,
        }
        with writing(self._engine) as connection:
            connection.execute(upsert(connection, _COMPARISONS), row)

    def comparisons(self) -> tuple[Comparison, ...]:
        """Return the last comparison of each tenant."""
        query = select(_COMPARISONS).order_by(_COMPARISONS.c.tenant)
        with reading(self._engine) as connection:
            return tuple(
                Comparison(
                    row.tenant,
                    row.at,
                    row.strays,
                    row.stray_bytes,
                    tuple(map(int, row.missing)),
                    row.trouble,
                )
                for row in connection.execute(query)
            )


def _shown(data_id: int) -> Select[Any]:
    """Return the query of an item's published files."""
    version = select(_I.version).where(_I.number == data_id).scalar_subquery()
    return select(FILES).where(_F.data_id == data_id, _F.version <= version)


def _conditions(wanted: DataFilter) -> Iterator[ColumnElement[bool]]:
    yield _IS_READY
    yield from made_as(_I, wanted)
    for tag in wanted.tags.wanted:
        yield _has_tag(tag)
    for tag in wanted.tags.refused:
        yield ~_has_tag(tag)


def _has_tag(tag: str) -> ColumnElement[bool]:
    return exists().where(_T.data_id == _I.number, _T.tag == tag)
