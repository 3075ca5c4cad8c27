"""Sums of the book: by day, month, tenant, person, queue, QOS, GPU type, kind."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, Engine, select

from kqi_hub.db.accounting_tables import IntakeRow, NodeShapeRow
from kqi_hub.db.engine import reading
from kqi_hub.db.usage_sources import COLUMNS, Question, Source, narrows, source_of
from kqi_hub.domain.node_shapes import NodeShape
from kqi_hub.domain.site_days import period_of
from kqi_hub.domain.usage import (
    Days,
    Group,
    IntakeState,
    Narrowing,
    Totals,
    UsageRow,
    UsageTable,
)
from kqi_hub.domain.usage_cuts import Grain
from kqi_hub.domain.usage_slices import Slice, slices_of

_NOTHING: Final = Totals()
_Sums = dict[Group, dict[str, Totals]]


class SqlUsageStore:
    """A UsageStore (services/usage.py) of one cluster; any thread may call it."""

    def __init__(self, engine: Engine, cluster: str) -> None:
        self._engine = engine
        self._cluster = cluster

    def tables(
        self, whose: Narrowing, days: Days, groups: Iterable[Group]
    ) -> tuple[UsageTable, ...]:
        """Return use added up in several ways, all of the same moment."""
        asked = tuple(groups)
        sums: _Sums = {group: {} for group in asked}
        others = [group for group in sums if group is not Group.DAY]
        with reading(self._engine) as connection:
            if Group.DAY in sums:
                for one in slices_of(days, by_day=True):
                    self._add(connection, whose, one, [Group.DAY], sums)
            for one in slices_of(days, by_day=False) if others else ():
                self._add(connection, whose, one, others, sums)
        return tuple(_table(group, sums[group]) for group in asked)

    def intake(self) -> IntakeState:
        """Return how far accounting was read."""
        query = select(
            IntakeRow.read_until, IntakeRow.fill_back_to, IntakeRow.filled_back_to
        ).where(IntakeRow.cluster == self._cluster)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return IntakeState() if row is None else IntakeState(*row)

    def shapes(self) -> tuple[NodeShape, ...]:
        """Return what the nodes have, and had."""
        columns = [getattr(NodeShapeRow, name) for name in NodeShape._fields]
        query = select(*columns).where(NodeShapeRow.cluster == self._cluster)
        with reading(self._engine) as connection:
            return tuple(NodeShape(*row) for row in connection.execute(query))

    def _add(
        self,
        connection: Connection,
        whose: Narrowing,
        one: Slice,
        groups: Iterable[Group],
        sums: _Sums,
    ) -> None:
        """Add a slice of time; groups of one source are read together."""
        wanted = narrows(whose)
        together: dict[tuple[Source, bool], list[Group]] = {}
        for group in groups:
            source = source_of({*wanted, COLUMNS[group]}, one.grain)
            together.setdefault((source, group.is_time), []).append(group)
        for (source, _), of in together.items():
            columns = tuple(COLUMNS[group] for group in of)
            asked = Question(self._cluster, source, one, wanted, columns)
            for keys, totals in asked.answer(connection):
                for group, key in zip(of, keys, strict=True):
                    found, name = sums[group], _key(group, key, one.grain)
                    found[name] = found.get(name, _NOTHING).plus(totals)


def _key(group: Group, key: Any, grain: Grain) -> str:
    by_day = group is Group.MONTH and grain is Grain.DAY
    return str(period_of(key) if by_day else key)


def _table(group: Group, sums: dict[str, Totals]) -> UsageTable:
    # What was corrected to nothing, or taken away again, is no row.
    rows = [UsageRow(key, totals) for key, totals in sums.items() if any(totals)]
    if group.is_time:
        rows.sort(key=lambda row: int(row.key))
    else:
        rows.sort(key=lambda row: (-row.totals.amount, -row.totals.cpu_s, row.key))
    return UsageTable(group, tuple(rows))
