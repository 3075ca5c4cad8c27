"""The tasks of an array, added up by the database: one question, whatever their number.

The middle value is found by the place of each task in its order: SQLite has no
function for it.
"""

from typing import Any, Final, cast

from sqlalchemy import (
    CTE,
    JSON,
    ColumnElement,
    Engine,
    Float,
    Row,
    Select,
    Table,
    and_,
    case,
    cast as as_type,
    func,
    select,
    type_coerce,
)

from kqi_hub.db.costs import LEDGER, RECORDS
from kqi_hub.db.engine import reading
from kqi_hub.db.run_tables import RunRow
from kqi_hub.domain.array_use import ArrayUse, Spread
from kqi_hub.domain.runs import LIVE, Run, RunState

_R: Final = cast(Table, RunRow.__table__).c
_MEASURES: Final = ("seconds", "cores", "memory_mb", "gpu_percent")


class SqlArrayUses:
    """An ArrayUses (domain/array_use.py) of one cluster; any thread may call it."""

    def __init__(self, engine: Engine, cluster: str) -> None:
        self._engine = engine
        self._cluster = cluster

    def of(self, run: Run) -> ArrayUse:
        """Return the use of the array that a run is a task of."""
        with reading(self._engine) as connection:
            row = connection.execute(self._query(run)).one()
        return _use(row)

    def _query(self, run: Run) -> Select[Any]:
        tasks = self._placed(run)
        sums: list[ColumnElement[Any]] = [
            func.sum(tasks.c.seconds).label("total_s"),
            func.count(tasks.c.seconds).label("ran"),
            func.count(tasks.c.cores).label("measured"),
        ]
        for name in _MEASURES:
            sums += _spread(tasks, name)
        for state in RunState:
            is_so = tasks.c.state == state.value
            sums.append(func.count().filter(is_so).label(_column(state)))
        records, amount = self._booked(run)
        return select(*sums, records.label("booked"), amount.label("amount"))

    def _placed(self, run: Run) -> CTE:
        """Return the tasks, each with its place in the order of each measure."""
        tasks = self._tasks(run)
        places = []
        for name in _MEASURES:
            value = tasks.c[name]
            place = func.row_number().over(partition_by=value.is_(None), order_by=value)
            places += [
                place.label(f"{name}_place"),
                func.count(value).over().label(f"{name}_count"),
            ]
        return select(tasks, *places).cte("placed")

    def _tasks(self, run: Run) -> CTE:
        has_ended = _R.state.not_in([one.value for one in LIVE])
        ran_s = _R.ended_at - _R.began_at
        measured_s = func.nullif(self._measured("seconds"), 0.0)
        return (
            select(
                _R.state,
                case((has_ended, ran_s)).label("seconds"),
                (self._measured("cpu_s") / measured_s).label("cores"),
                self._measured("memory_mb_max").label("memory_mb"),
                self._measured("gpu_percent_mean").label("gpu_percent"),
            )
            .where(_R.key == run.key, _R.batch == run.batch)
            .cte("tasks")
        )

    def _measured(self, name: str) -> ColumnElement[Any]:
        # SQLite would make a number of a text that is cast to its JSON.
        is_sqlite = self._engine.dialect.name == "sqlite"
        said = type_coerce(_R.use, JSON) if is_sqlite else as_type(_R.use, JSON)
        return as_type(said[name].as_float(), Float)

    def _booked(self, run: Run) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """Return of how many tasks the book has the end, and what they have cost."""
        mine = and_(
            RECORDS.c.cluster == self._cluster,
            RECORDS.c.thing == run.batch,
            RECORDS.c.name == run.job_name,
            RECORDS.c.user == run.owner,
        )
        tasks = func.count(func.distinct(RECORDS.c.shown_id))
        records = select(tasks).where(
            mine,
            RECORDS.c.ended_at.is_not(None),
            RECORDS.c.started_at.is_not(None),
        )
        amounts = (
            select(func.sum(LEDGER.c.amount))
            .join_from(RECORDS, LEDGER, LEDGER.c.record_id == RECORDS.c.id)
            .where(mine, LEDGER.c.per_hour.is_not(None))
        )
        return records.scalar_subquery(), amounts.scalar_subquery()


def _spread(tasks: CTE, name: str) -> list[ColumnElement[Any]]:
    value, place = tasks.c[name], tasks.c[f"{name}_place"]
    count = tasks.c[f"{name}_count"]
    is_middle = and_(
        value.is_not(None), place.in_([(count + 1) // 2, (count + 2) // 2])
    )
    return [
        func.min(value).label(f"{name}_least"),
        func.avg(value).filter(is_middle).label(f"{name}_median"),
        func.max(value).label(f"{name}_most"),
    ]


def _column(state: RunState) -> str:
    return f"are_{state.name.lower()}"


def _use(row: Row[Any]) -> ArrayUse:
    said = row._mapping
    states = {state: said[_column(state)] for state in RunState}

    def spread(name: str) -> Spread | None:
        found = [said[f"{name}_{one}"] for one in Spread._fields]
        return None if None in found else Spread(*found)

    return ArrayUse(
        states={state: count for state, count in states.items() if count},
        ran=said["ran"],
        measured=said["measured"],
        total_s=said["total_s"] or 0.0,
        median_s=said["seconds_median"],
        longest_s=said["seconds_most"],
        cores=spread("cores"),
        memory_mb=spread("memory_mb"),
        gpu_percent=spread("gpu_percent"),
        booked=said["booked"],
        amount=None if said["amount"] is None else int(said["amount"]),
    )
