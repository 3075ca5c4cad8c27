"""What keeps data and datasets from changing, told within the transaction that asks."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, Engine, delete, select

from kqi_hub.db.dataset_rows import DATASETS, ENTRIES, USES, bump, is_locked
from kqi_hub.db.engine import reading
from kqi_hub.db.uses import locks_of
from kqi_hub.domain.data import Kind, Thing
from kqi_hub.domain.dataset_ports import Blocker, Why

MOST_EACH: Final = 20
_U, _E, _D = USES.c, ENTRIES.c, DATASETS.c
_PREPROCESSING: Final = Kind.PREPROCESSING.value
# SQLite takes 32,766 values in one question.
_CHUNK: Final = 5000


class SqlBlockers:
    """Blockers (domain/dataset_ports.py); any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of_data(
        self, data_ids: Collection[int], most_each: int = MOST_EACH
    ) -> Mapping[int, tuple[Blocker, ...]]:
        """Return the blockers of each item that has any."""
        with reading(self._engine) as connection:
            return blockers_of(connection, sorted(set(data_ids)), most_each)

    def of_dataset(self, dataset_id: int, most: int = MOST_EACH) -> tuple[Blocker, ...]:
        """Return what locks a dataset."""
        with reading(self._engine) as connection:
            locks = locks_of(connection, dataset_id, most)
            return tuple(Blocker(one.by, Why.USED) for one in locks)


class DatasetUsers:
    """DataUsers (data_users.py): datasets and preprocessings, in the transaction."""

    def blockers(
        self, connection: Connection, data_ids: Sequence[int]
    ) -> Mapping[int, tuple[Blocker, ...]]:
        """Return what keeps each of these from changing or going, if anything does."""
        return blockers_of(connection, data_ids, MOST_EACH)

    def forget(self, connection: Connection, data_id: int) -> None:
        """Take an item that nothing blocks out of wherever it is: it is deleted."""
        holders = select(_E.dataset).where(_E.data_id == data_id)
        bump(connection, _D.number.in_(holders))
        connection.execute(delete(ENTRIES).where(_E.data_id == data_id))


def blockers_of(
    connection: Connection, data_ids: Sequence[int], most_each: int
) -> dict[int, tuple[Blocker, ...]]:
    """Return the blockers of each item that has any."""
    found: dict[int, list[Blocker]] = {}
    for start in range(0, len(data_ids), _CHUNK):
        part = data_ids[start : start + _CHUNK]
        for data_id, blocker in _all(connection, part):
            known = found.setdefault(data_id, [])
            if len(known) < most_each:
                known.append(blocker)
    return {data_id: tuple(blockers) for data_id, blockers in found.items()}


def _all(
    connection: Connection, data_ids: Sequence[int]
) -> Iterator[tuple[int, Blocker]]:
    yield from _locked(connection, data_ids)
    yield from _used(connection, data_ids)
    yield from _generated(connection, data_ids)


def _locked(
    connection: Connection, data_ids: Sequence[int]
) -> Iterator[tuple[int, Blocker]]:
    """Yield the locked datasets that hold these (KX-53)."""
    query = (
        select(_E.data_id, _D.number, _D.name)
        .join_from(ENTRIES, DATASETS, _D.number == _E.dataset)
        .where(_E.data_id.in_(data_ids), is_locked())
        .distinct()
        .order_by(_E.data_id, _D.number)
    )
    for row in connection.execute(query):
        thing = Thing(Kind.DATASET, str(row.number))
        yield row.data_id, Blocker(thing, Why.IN_LOCKED_DATASET, row.name)


def _used(
    connection: Connection, data_ids: Sequence[int]
) -> Iterator[tuple[int, Blocker]]:
    """Yield the preprocessings that read these, and whatever else locks them."""
    query = select(_U.used_id, _U.by_kind, _U.by_id).where(
        _U.used_kind == Kind.DATA.value,
        _U.used_id.in_([str(one) for one in data_ids]),
        (_U.by_kind == _PREPROCESSING) | _U.locks,
    )
    for row in connection.execute(query.order_by(_U.used_id, _U.at)):
        is_input = row.by_kind == _PREPROCESSING
        why = Why.PREPROCESSED if is_input else Why.USED
        yield int(row.used_id), Blocker(Thing(Kind(row.by_kind), row.by_id), why)


def _generated(
    connection: Connection, data_ids: Sequence[int]
) -> Iterator[tuple[int, Blocker]]:
    """Yield the preprocessings that these came from."""
    query = select(_U.by_id, _U.used_id).where(
        _U.by_kind == Kind.DATA.value,
        _U.by_id.in_([str(one) for one in data_ids]),
        _U.used_kind == _PREPROCESSING,
    )
    for row in connection.execute(query.order_by(_U.by_id, _U.at)):
        thing = Thing(Kind.PREPROCESSING, row.used_id)
        yield int(row.by_id), Blocker(thing, Why.GENERATED)
