"""The graph of lineage in the database, asked a level at a time."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, cast

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Select,
    Table,
    exists,
    func,
    select,
    union,
)

from kqi_hub.db.data_tables import DataParentRow
from kqi_hub.db.dataset_rows import DATASETS, ENTRIES, ITEMS, USES, as_id, is_locked
from kqi_hub.db.engine import reading
from kqi_hub.db.notebook_rows import NOTEBOOKS
from kqi_hub.db.run_rows import RUNS
from kqi_hub.domain.data import DataState, Kind, Thing
from kqi_hub.domain.dataset_ports import Beside, Node

_PARENTS: Final = cast(Table, DataParentRow.__table__)
_U, _E, _P = USES.c, ENTRIES.c, _PARENTS.c
# From a thing to its neighbour, and what sorts the newest first.
_Pair = tuple[Thing, Thing, int]
_Read = Callable[[Connection, Collection[Thing], int], Iterator[_Pair]]
_KindAndId = tuple[Column[Any], Column[Any]]


class SqlLineageStore:
    """A LineageStore (domain/dataset_ports.py); any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def sources(
        self, things: Collection[Thing], most_each: int
    ) -> Mapping[Thing, Beside]:
        """Return from what each of these was made, newest first."""
        return self._beside(things, most_each, _SOURCES)

    def results(
        self, things: Collection[Thing], most_each: int
    ) -> Mapping[Thing, Beside]:
        """Return what was made from each of these, newest first."""
        return self._beside(things, most_each, _RESULTS)

    def nodes(self, things: Collection[Thing]) -> Mapping[Thing, Node]:
        """Return what is known of each of these."""
        with reading(self._engine) as connection:
            found = dict(_rows_of(connection, things))
            for thing in _met(connection, [one for one in things if one not in found]):
                found[thing] = Node(thing, is_gone=thing.kind in _OURS)
            return found

    def _beside(
        self, things: Collection[Thing], most_each: int, reads: Iterable[_Read]
    ) -> Mapping[Thing, Beside]:
        found: dict[Thing, list[Thing]] = {}
        totals: dict[Thing, int] = {}
        with reading(self._engine) as connection:
            for read in reads:
                counted: dict[Thing, int] = {}
                for thing, other, total in read(connection, things, most_each):
                    found.setdefault(thing, []).append(other)
                    counted[thing] = total
                for thing, total in counted.items():
                    totals[thing] = totals.get(thing, 0) + total
        return {
            thing: Beside(tuple(others[:most_each]), totals[thing])
            for thing, others in found.items()
        }


def _by_number(
    one: Column[Any], other: Column[Any], kind: Kind, other_kind: Kind
) -> _Read:
    """Return what reads pairs of numbers, from one column of a table to another."""

    def read(
        connection: Connection, things: Collection[Thing], most: int
    ) -> Iterator[_Pair]:
        query = select(one.label("one"), other.label("other")).distinct()
        query = query.where(one.in_(_numbers(things, kind)))
        return _numbered(connection, query, most, kind, other_kind)

    return read


def _by_use(one: _KindAndId, other: _KindAndId) -> _Read:
    """Return what reads pairs of the table of uses, from users or from the used."""
    of_kind, of_id = one

    def read(
        connection: Connection, things: Collection[Thing], most: int
    ) -> Iterator[_Pair]:
        for kind, ids in _by_kind(things):
            query = select(*_named([*one, *other]), _U.at)
            query = query.where(of_kind == kind.value, of_id.in_(ids))
            yield from _worded(connection, query, most)

    return read


def _named(columns: list[Any]) -> Iterator[Any]:
    names = ("one_kind", "one", "other_kind", "other")
    return (column.label(name) for column, name in zip(columns, names, strict=True))


def _numbered(
    connection: Connection, query: Select[Any], most: int, one: Kind, other: Kind
) -> Iterator[_Pair]:
    """Yield pairs of numbers, the highest first, so many for each thing."""
    pairs = query.subquery()
    rank = func.row_number().over(
        partition_by=pairs.c.one, order_by=pairs.c.other.desc()
    )
    total = func.count().over(partition_by=pairs.c.one)
    ranked = select(pairs, rank.label("rank"), total.label("total")).subquery()
    page = select(ranked).where(ranked.c.rank <= most)
    for row in connection.execute(page.order_by(ranked.c.one, ranked.c.rank)):
        yield Thing(one, str(row.one)), Thing(other, str(row.other)), row.total


def _worded(connection: Connection, query: Select[Any], most: int) -> Iterator[_Pair]:
    """Yield pairs of the table of uses, the latest first, so many for each thing."""
    pairs = query.subquery()
    place = [pairs.c.one_kind, pairs.c.one]
    order = [pairs.c.at.desc(), pairs.c.other_kind, pairs.c.other]
    rank = func.row_number().over(partition_by=place, order_by=order)
    total = func.count().over(partition_by=place)
    ranked = select(pairs, rank.label("rank"), total.label("total")).subquery()
    page = select(ranked).where(ranked.c.rank <= most)
    for row in connection.execute(page.order_by(ranked.c.one, ranked.c.rank)):
        one = Thing(Kind(row.one_kind), row.one)
        yield one, Thing(Kind(row.other_kind), row.other), row.total


def _rows_of(
    connection: Connection, things: Collection[Thing]
) -> Iterator[tuple[Thing, Node]]:
    """Yield what our own tables say of things."""
    for kind, query in _OURS.items():
        numbers = _numbers(things, kind)
        if not numbers:
            continue
        for row in connection.execute(query(numbers)):
            thing = Thing(kind, str(row.number))
            yield (
                thing,
                Node(
                    thing=thing,
                    name=row.name,
                    tenant=row.tenant,
                    person=row.person,
                    at=row.at,
                    is_locked=bool(row.is_locked),
                    is_gone=bool(row.is_gone),
                ),
            )


def _data_nodes(numbers: Collection[int]) -> Select[Any]:
    c = ITEMS.c
    locked = exists().where(
        _E.data_id == c.number, _E.dataset == DATASETS.c.number, is_locked()
    )
    return select(
        c.number,
        c.name,
        c.tenant,
        c.created_by.label("person"),
        c.created_at.label("at"),
        locked.label("is_locked"),
        (c.state == DataState.REMOVING.value).label("is_gone"),
    ).where(c.number.in_(numbers), c.state != DataState.UPLOADING.value)


def _dataset_nodes(numbers: Collection[int]) -> Select[Any]:
    c = DATASETS.c
    return select(
        c.number,
        c.name,
        c.tenant,
        c.created_by.label("person"),
        c.created_at.label("at"),
        is_locked().label("is_locked"),
        (c.number < 0).label("is_gone"),
    ).where(c.number.in_(numbers))


def _notebook_nodes(numbers: Collection[int]) -> Select[Any]:
    c = NOTEBOOKS.c
    return select(
        c.number,
        c.name,
        c.tenant,
        c.owner.label("person"),
        c.created_at.label("at"),
        (c.number < 0).label("is_locked"),
        (c.number < 0).label("is_gone"),
    ).where(c.number.in_(numbers))


def _run_nodes(kind: Kind) -> Callable[[Collection[int]], Select[Any]]:
    def query(numbers: Collection[int]) -> Select[Any]:
        c = RUNS.c
        return select(
            c.number,
            c.name,
            c.tenant,
            c.owner.label("person"),
            c.asked_at.label("at"),
            (c.number < 0).label("is_locked"),
            (c.number < 0).label("is_gone"),
        ).where(c.number.in_(numbers), c.kind == kind.value)

    return query


_OURS: Final[Mapping[Kind, Callable[[Collection[int]], Select[Any]]]] = {
    Kind.DATA: _data_nodes,
    Kind.DATASET: _dataset_nodes,
    Kind.NOTEBOOK: _notebook_nodes,
    Kind.TRAINING: _run_nodes(Kind.TRAINING),
    Kind.INFERENCE: _run_nodes(Kind.INFERENCE),
    Kind.PREPROCESSING: _run_nodes(Kind.PREPROCESSING),
}


def _met(connection: Connection, things: Collection[Thing]) -> Iterator[Thing]:
    """Yield those of these that something has used, or that have used something.

    A parent that was deleted is one of them: its child remembers it.
    """
    for kind, ids in _by_kind(things):
        by = select(_U.by_id).where(_U.by_kind == kind.value, _U.by_id.in_(ids))
        used = select(_U.used_id).where(_U.used_kind == kind.value, _U.used_id.in_(ids))
        met = [by, used]
        if kind is Kind.DATA:
            there = select(ITEMS.c.number).where(ITEMS.c.number == _P.parent).exists()
            parents = _P.parent.in_([int(one) for one in ids])
            met.append(select(as_id(_P.parent)).where(parents, ~there))
        yield from (Thing(kind, one) for one in connection.scalars(union(*met)))


def _numbers(things: Collection[Thing], kind: Kind) -> list[int]:
    return [int(one.id) for one in things if one.kind is kind]


def _by_kind(things: Collection[Thing]) -> Iterator[tuple[Kind, list[str]]]:
    for kind in Kind:
        ids = [one.id for one in things if one.kind is kind]
        if ids:
            yield kind, ids


_BY: Final = (_U.by_kind, _U.by_id)
_USED: Final = (_U.used_kind, _U.used_id)
_SOURCES: Final = (
    _by_number(_P.data_id, _P.parent, Kind.DATA, Kind.DATA),
    _by_number(_E.dataset, _E.data_id, Kind.DATASET, Kind.DATA),
    _by_use(_BY, _USED),
)
_RESULTS: Final = (
    _by_use(_USED, _BY),
    _by_number(_E.data_id, _E.dataset, Kind.DATA, Kind.DATASET),
    _by_number(_P.parent, _P.data_id, Kind.DATA, Kind.DATA),
)
