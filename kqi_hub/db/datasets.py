"""Datasets in the database."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from kqi_hub.db.dataset_items import items_page, paths_page
from kqi_hub.db.dataset_rows import (
    DATASETS,
    ENTRIES,
    ITEMS,
    TICK,
    datasets_of,
    is_locked,
    known_dataset,
    no_dataset,
    one_dataset,
    tenant_of,
    with_lock,
)
from kqi_hub.db.dataset_tables import DatasetTypesRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.list_conditions import in_order, made_as
from kqi_hub.db.tenant_lock import hold_tenant
from kqi_hub.db.upsert import upsert
from kqi_hub.domain.data import (
    FLAT,
    USUAL_TYPES,
    Dataset,
    DataState,
    Placed,
)
from kqi_hub.domain.dataset_list import DatasetColumn, DatasetFilter
from kqi_hub.domain.dataset_ports import DatasetItem, PathPair, Seen
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.errors import Conflict, InvalidInput

_TYPES: Final = cast(Table, DatasetTypesRow.__table__)
_D: Final = DATASETS.c
_E: Final = ENTRIES.c
# So many numbers in one question: SQLite takes 32,766 in all.
_CHUNK: Final = 5000
_COLUMNS: Final = {
    DatasetColumn.ID: _D.number,
    DatasetColumn.NAME: _D.name,
    DatasetColumn.CREATED_AT: _D.created_at,
    DatasetColumn.CREATED_BY: _D.created_by,
    DatasetColumn.CHANGED_AT: _D.changed_at,
}


class SqlDatasetStore:
    """A DatasetStore (domain/dataset_ports.py); any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, new: NewDataset, person: str, now: float) -> Dataset:
        """Add one."""
        values = {
            "tenant": new.tenant,
            "name": new.name,
            "memo": new.memo,
            "is_flat": new.is_flat,
            "created_by": person,
            "created_at": now,
            "changed_at": now,
            "revision": 1,
            "items": 0,
            "files": 0,
            "bytes": 0,
            "versions": 0,
            "tree_stamp": "",
            "tree_key": "",
        }
        with writing(self._engine) as connection:
            hold_tenant(connection, new.tenant)
            done = connection.execute(insert(DATASETS), values)
            [number] = cast("tuple[int]", done.inserted_primary_key)
            _put(connection, number, new.tenant, new.entries)
            return known_dataset(connection, number)

    def one(self, dataset_id: int) -> Dataset | None:
        """Return one, whoever's it is."""
        with reading(self._engine) as connection:
            return one_dataset(connection, dataset_id)

    def search(self, wanted: DatasetFilter) -> tuple[Dataset, ...]:
        """Return a page of those that a filter lets through."""
        order = in_order(
            _COLUMNS[wanted.sort], _D.number, is_descending=wanted.is_descending
        )
        query = with_lock().where(*_conditions(wanted)).order_by(*order)
        with reading(self._engine) as connection:
            page = query.limit(wanted.limit).offset(wanted.offset)
            return tuple(datasets_of(connection, connection.execute(page)))

    def count(self, wanted: DatasetFilter) -> int:
        """Return how many a filter lets through."""
        query = select(func.count()).select_from(DATASETS).where(*_conditions(wanted))
        with reading(self._engine) as connection:
            return connection.scalar(query) or 0

    def rename(self, dataset_id: int, name: str, memo: str, now: float) -> Dataset:
        """Change name and memo, locked or not."""
        with writing(self._engine) as connection:
            statement = update(DATASETS).where(_D.number == dataset_id)
            connection.execute(statement.values(name=name, memo=memo))
            return known_dataset(connection, dataset_id)

    def replace(
        self, dataset_id: int, entries: Sequence[Placed], seen_at: float, now: float
    ) -> Dataset:
        """Replace all entries; Conflict if it is locked or changed after `seen_at`."""
        # Two changes within one tick of the clock are two changes all the same.
        later = case((_D.changed_at < now, now), else_=_D.changed_at + TICK)
        with writing(self._engine) as connection:
            tenant = _held(connection, dataset_id)
            found = known_dataset(connection, dataset_id)
            _refuse_locked(found)
            if found.changed_at > seen_at:
                raise Conflict(
                    "This dataset was changed meanwhile, on another page or by kqi.",
                    "Look at what it is now, then change it again.",
                )
            connection.execute(delete(ENTRIES).where(_E.dataset == dataset_id))
            _put(connection, dataset_id, tenant, entries)
            statement = update(DATASETS).where(_D.number == dataset_id)
            connection.execute(
                statement.values(changed_at=later, revision=_D.revision + 1)
            )
            return known_dataset(connection, dataset_id)

    def delete(self, dataset_id: int) -> None:
        """Remove it; Conflict while it is locked."""
        with writing(self._engine) as connection:
            _held(connection, dataset_id)
            _refuse_locked(known_dataset(connection, dataset_id))
            connection.execute(delete(ENTRIES).where(_E.dataset == dataset_id))
            connection.execute(delete(DATASETS).where(_D.number == dataset_id))

    def placed(self, dataset_id: int) -> tuple[Placed, ...]:
        """Return all entries, by type and number."""
        query = select(_E.type, _E.data_id).where(_E.dataset == dataset_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(_E.type, _E.data_id))
            return tuple(Placed(row.type, row.data_id) for row in rows)

    def items(
        self,
        dataset_id: int,
        type_: str | None = None,
        after: Seen | None = None,
        limit: int = 100,
    ) -> tuple[DatasetItem, ...]:
        """Return a page of the items, by type and number."""
        with reading(self._engine) as connection:
            return items_page(connection, dataset_id, type_, after, limit)

    def count_by_type(self, dataset_id: int) -> Mapping[str, int]:
        """Return how many items each type has; a type without any lacks."""
        query = select(_E.type, func.count().label("items"))
        query = query.where(_E.dataset == dataset_id).group_by(_E.type)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(_E.type))
            return {row.type: row.items for row in rows}

    def paths(
        self, dataset_id: int, after: Seen | None = None, limit: int = 100
    ) -> tuple[PathPair, ...]:
        """Return a page of the files, by type, item and path."""
        with reading(self._engine) as connection:
            return paths_page(connection, dataset_id, after, limit)

    def types(self, tenant: str) -> tuple[str, ...]:
        """Return a tenant's types; the usual ones until it chooses its own."""
        with reading(self._engine) as connection:
            return _types(connection, tenant)

    def set_types(self, tenant: str, types: Sequence[str]) -> None:
        """Replace a tenant's types; Conflict while a dataset uses one left out."""
        with writing(self._engine) as connection:
            hold_tenant(connection, tenant)
            lost = set(_types(connection, tenant)) - set(types)
            _refuse_in_use(connection, tenant, lost)
            connection.execute(
                upsert(connection, _TYPES), {"tenant": tenant, "types": tuple(types)}
            )


def _types(connection: Connection, tenant: str) -> tuple[str, ...]:
    query = select(_TYPES.c.types).where(_TYPES.c.tenant == tenant)
    found: tuple[str, ...] | None = connection.scalar(query)
    return found or USUAL_TYPES


def _held(connection: Connection, dataset_id: int) -> str:
    """Return the tenant, held: nobody else changes its data and datasets now."""
    tenant = tenant_of(connection, dataset_id)
    hold_tenant(connection, tenant)
    if connection.scalar(select(_D.number).where(_D.number == dataset_id)) is None:
        raise no_dataset()
    return tenant


def _put(
    connection: Connection, dataset_id: int, tenant: str, entries: Sequence[Placed]
) -> None:
    """Add entries, all of which must be data of the tenant that are there."""
    numbers = sorted({one.data_id for one in entries})
    for start in range(0, len(numbers), _CHUNK):
        _check_data(connection, tenant, numbers[start : start + _CHUNK])
    rows = [
        {"dataset": dataset_id, "type": one.type, "data_id": one.data_id}
        for one in entries
    ]
    if rows:
        connection.execute(insert(ENTRIES), rows)


def _check_data(connection: Connection, tenant: str, numbers: Sequence[int]) -> None:
    query = select(ITEMS.c.number).where(
        ITEMS.c.number.in_(numbers),
        ITEMS.c.tenant == tenant,
        ITEMS.c.state == DataState.READY.value,
    )
    known = set(connection.scalars(query))
    lacking = next((one for one in numbers if one not in known), None)
    if lacking is not None:
        raise InvalidInput(
            "entries: there is no data {id} in tenant {tenant}.",
            "Take the numbers from the list of data.",
            id=lacking,
            tenant=tenant,
        )


def _refuse_locked(found: Dataset) -> None:
    if found.is_locked:
        raise Conflict(
            "Dataset {id} is locked: what used it must stay explainable.",
            "Make a copy and change that; or delete what locks it.",
            id=found.id,
        )


def _refuse_in_use(connection: Connection, tenant: str, lost: set[str]) -> None:
    query = (
        select(_D.number, _D.name, _E.type)
        .join_from(ENTRIES, DATASETS, _D.number == _E.dataset)
        .where(_D.tenant == tenant, _E.type != FLAT, _E.type.in_(sorted(lost)))
        .order_by(_D.number)
        .limit(1)
    )
    found = connection.execute(query).one_or_none()
    if found is not None:
        raise Conflict(
            "Dataset {id}, {name}, has data of type {type}.",
            "Keep the type, or move those data first.",
            id=found.number,
            name=found.name,
            type=found.type,
        )


def _conditions(wanted: DatasetFilter) -> Iterator[ColumnElement[bool]]:
    yield from made_as(_D, wanted)
    if wanted.is_locked is not None:
        yield is_locked() if wanted.is_locked else ~is_locked()
    if wanted.data_id is not None:
        holders = select(_E.dataset).where(_E.data_id == wanted.data_id)
        yield _D.number.in_(holders)
