"""Where the answer to a question about use is read: the smallest table that has it."""

from collections.abc import Iterator, Mapping, Set
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select

from kqi_hub.db.accounting_tables import UsageDayRow, UsageMonthRow, UsageSumRow
from kqi_hub.domain.usage import Group, Narrowing, Totals
from kqi_hub.domain.usage_cuts import PERSON, TENANT, Cut, Grain
from kqi_hub.domain.usage_slices import Slice

_SUMS: Final = cast(Table, UsageSumRow.__table__)
_WHOLE: Final[Mapping[Grain, tuple[Table, str]]] = {
    Grain.DAY: (cast(Table, UsageDayRow.__table__), "day"),
    Grain.MONTH: (cast(Table, UsageMonthRow.__table__), "month"),
}
# Told apart by every source, whatever its column is called.
TIME: Final = "at"
COLUMNS: Final[Mapping[Group, str]] = {
    Group.DAY: TIME,
    Group.MONTH: TIME,
    Group.TENANT: TENANT,
    Group.PERSON: PERSON,
    Group.QUEUE: "queue",
    Group.QOS: "qos",
    Group.GPU_TYPE: "gpu_type",
    Group.KIND: "kind",
}
_NO_GPU: Final = "-"
# Each of more people is looked for by itself: then all rows of the time are read.
_MOST_PEOPLE: Final = 1000


class Source(NamedTuple):
    """A cut, or where there is none, what everything is told apart in."""

    cut: Cut | None
    grain: Grain

    @property
    def table(self) -> Table:
        """Return the table."""
        return _WHOLE[self.grain][0] if self.cut is None else _SUMS

    @property
    def at(self) -> ColumnElement[int]:
        """Return its column of days or months."""
        name = _WHOLE[self.grain][1] if self.cut is None else "at"
        return self.table.c[name]


def source_of(needed: Set[str], grain: Grain) -> Source:
    """Return the smallest source that tells apart what is needed."""
    for cut in Cut:
        if needed <= cut.keeps | {TIME} and grain in cut.grains:
            return Source(cut, grain)
    return Source(None, grain)


def narrows(whose: Narrowing) -> dict[str, Any]:
    """Return by column what is asked for: a text, or several tenants."""
    gpu_type = "" if whose.gpu_type == _NO_GPU else whose.gpu_type
    found: dict[str, Any] = {
        TENANT: whose.tenants,
        PERSON: whose.person or None,
        "queue": whose.queue or None,
        "qos": whose.qos or None,
        "gpu_type": gpu_type if whose.gpu_type else None,
        "kind": whose.kind or None,
    }
    return {name: value for name, value in found.items() if value is not None}


class Question(NamedTuple):
    """Sums of one slice of time, of one source, by some columns.

    `times` are the days or months of it that are meant, where not all are. `counted`:
    only where this sum is not nothing.
    """

    cluster: str
    source: Source
    slice: Slice
    wanted: Mapping[str, Any]
    columns: tuple[str, ...]
    times: tuple[int, ...] = ()
    counted: str = ""

    def answer(self, connection: Connection) -> Iterator[tuple[list[Any], Totals]]:
        """Yield what the columns hold, with the sums of it."""
        table, at = self.source.table, self.source.at
        by = [at if name == TIME else table.c[name] for name in self.columns]
        sums = (func.sum(table.c[name]) for name in Totals._fields)
        query = self._of(select(*by, *sums), self._members(connection)).group_by(*by)
        if self.counted:
            query = query.having(func.sum(table.c[self.counted]) != 0)
        for row in connection.execute(query):
            numbers = map(int, row[len(by) :])
            yield list(row[: len(by)]), Totals(*(self.slice.sign * n for n in numbers))

    def _of(self, query: Select[Any], members: list[str] | None) -> Select[Any]:
        table, cut = self.source.table, self.source.cut
        query = query.where(table.c.cluster == self.cluster)
        if cut is not None:
            grain = self.slice.grain.value
            query = query.where(table.c.cut == cut.value, table.c.grain == grain)
        query = query.where(self._time(members))
        if members is not None:
            query = query.where(table.c[PERSON].in_(members))
        elif cut is not None and PERSON not in cut.keeps:
            query = query.where(table.c[PERSON] == "")
        for name, value in self.wanted.items():
            column = table.c[name]
            several = name == TENANT
            query = query.where(column.in_(value) if several else column == value)
        return query

    def _time(self, members: list[str] | None) -> ColumnElement[bool]:
        cut, at = self.source.cut, self.source.at
        if self.times:
            return at.in_(self.times)
        leads = cut is not None and PERSON not in cut.keeps and TENANT in self.wanted
        if leads or members is not None or PERSON in self.wanted:
            # After the time the key goes on with whose it is: each is looked up.
            return at.in_(self.slice.times)
        return at.between(self.slice.first, self.slice.last)

    def _members(self, connection: Connection) -> list[str] | None:
        """Return who used something in the tenants asked for, where that helps."""
        if self.source.cut is not None or PERSON in self.wanted:
            return None
        if TENANT not in self.wanted:
            return None
        people = Question(
            self.cluster,
            Source(Cut.MEMBER, self.slice.grain),
            self.slice,
            {TENANT: self.wanted[TENANT]},
            (PERSON,),
        )
        found = connection.scalars(
            people._of(select(_SUMS.c[PERSON]), None).distinct()
        ).all()
        return list(found) if len(found) <= _MOST_PEOPLE else None
