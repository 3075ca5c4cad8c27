"""The runs behind the sums, with what the book holds of each."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    Table,
    func,
    or_,
    select,
    text,
    union_all,
)

from kqi_hub.db.accounting_tables import (
    FAILED_RUNS,
    LONG_RUNS,
    JobRecordRow,
    LedgerRow,
    longer_than,
)
from kqi_hub.db.engine import reading
from kqi_hub.db.usage_copies import numbers_of_runs, of_run
from kqi_hub.db.usage_measured import measured
from kqi_hub.db.used_days import Stretch, UsedDays
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.ledger import Entry, EntryKind
from kqi_hub.domain.own_jobs import OF_SCRIPTS
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.domain.usage import (
    Days,
    Measured,
    Narrowing,
    Place,
    RunsAsked,
    RunsFound,
    UsedRun,
)
from kqi_hub.domain.usage_counts import FAILED_STATES, SOME_GPU

RECORDS: Final = cast(Table, JobRecordRow.__table__)
LEDGER: Final = cast(Table, LedgerRow.__table__)
_MEANT: Final = re.compile("[!%_]")
_SUMS: Final = ("amount", "seconds", "cpu_s", "memory_mb_s", "gpu_s")
_ENTRY: Final = tuple(name for name in Entry.__slots__ if name != "kind")
# One look into the index of people's ends for each person's day, whatever the planner
# thinks; a statement of the same words for any number of them.
_OF_PEOPLE: Final = {
    "sqlite": "SELECT r.id FROM json_each(:asked) AS asked CROSS JOIN job_records AS r"
    " ON r.cluster = :cluster AND r.\"user\" = json_extract(asked.value, '$[2]')"
    " AND r.ended_at BETWEEN json_extract(asked.value, '$[0]')"
    " AND json_extract(asked.value, '$[1]') {only}",
    "postgresql": "SELECT r.id FROM json_array_elements(CAST(:asked AS json)) AS asked"
    " CROSS JOIN LATERAL (SELECT one.id FROM job_records AS one"
    ' WHERE one.cluster = :cluster AND one."user" = asked.value ->> 2'
    " AND one.ended_at BETWEEN CAST(asked.value ->> 0 AS bigint)"
    " AND CAST(asked.value ->> 1 AS bigint) {only} OFFSET 0) AS r",
}
# A run that has not ended stands before all others.
_NEVER: Final = 1 << 60
_LONG_S, _LONGEST_S = LONG_RUNS.values()
Condition = ColumnElement[bool]


class _Ended(NamedTuple):
    """Runs that ended from a second to another.

    `long`: only those that took longer, few of them, in a small index of everybody's.
    `ids` are their numbers, where these are found by themselves.
    """

    first: int
    last: int = _NEVER
    long: int = 0
    ids: Select[Any] | None = None


class SqlUsedRuns:
    """A UsedRunStore (services/usage.py) of one cluster; any thread may call it."""

    def __init__(
        self, engine: Engine, cluster: str, days: SiteDays | None = None
    ) -> None:
        self._engine = engine
        self._cluster = cluster
        self._days = days or SiteDays()

    def runs(self, asked: RunsAsked) -> RunsFound:
        """Return a page of runs: those without an end, then the last ended first."""
        most = asked.limit + 1
        with reading(self._engine) as connection:
            rows: list[RowMapping] = []
            if asked.after is None or asked.after.ended_at == _NEVER:
                going_on = self._going_on(connection, asked, most)
                rows += connection.execute(going_on).mappings()
            stretches = self._stretches(connection, asked)
            while len(rows) < most and (stretch := next(stretches, None)):
                over = self._over(asked, stretch, most - len(rows))
                rows += connection.execute(over).mappings()
            runs = with_sums(connection, rows[: asked.limit], asked.days)
        return RunsFound(runs, _place(runs[-1]) if len(rows) == most else None)

    def run(self, number: int) -> tuple[UsedRun, tuple[Entry, ...]] | None:
        """Return a run with every line that the book has of it."""
        lines = select(LEDGER).where(LEDGER.c.record_id == number)
        with reading(self._engine) as connection:
            found = connection.execute(self._all().where(RECORDS.c.id == number))
            row = found.mappings().first()
            if row is None:
                return None
            [run] = with_sums(connection, [row], None)
            entries = connection.execute(lines.order_by(LEDGER.c.id)).mappings()
            return run, tuple(map(entry_of, entries))

    def unfinished(self, before: int, limit: int) -> tuple[UsedRun, ...]:
        """Return runs that have begun before a moment and have no end."""
        query = (
            self._all()
            .where(RECORDS.c.ended_at.is_(None), RECORDS.c.started_at < before)
            .order_by(RECORDS.c.started_at, RECORDS.c.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings().all()
            return with_sums(connection, rows, None)

    def measured(self, whose: Narrowing, begins: int, ends: int) -> Measured:
        """Return what runs that ended in a time measured of themselves."""
        with reading(self._engine) as connection:
            return measured(connection, whose, begins, ends)

    def _going_on(
        self, connection: Connection, asked: RunsAsked, limit: int
    ) -> Select[Any]:
        query = self._all().where(
            RECORDS.c.ended_at.is_(None), *self._conditions(asked)
        )
        if (ids := self._named(connection, asked)) is not None:
            query = query.where(RECORDS.c.id.in_(ids))
        if asked.after is not None:
            query = query.where(RECORDS.c.id < asked.after.id)
        return query.order_by(RECORDS.c.id.desc()).limit(limit)

    def _stretches(self, connection: Connection, asked: RunsAsked) -> Iterator[_Ended]:
        """Yield times of ends, the last first, in which few runs are in vain."""
        ends = asked.ends
        if (ids := self._named(connection, asked)) is not None:
            yield _Ended(asked.begins, ids=ids)
            return
        # What ended afterwards has begun before only where it took long.
        yield _Ended(ends + _LONGEST_S, long=_LONGEST_S)
        yield _Ended(ends + _LONG_S, ends + _LONGEST_S - 1, long=_LONG_S)
        yield _Ended(ends, ends + _LONG_S - 1)
        used = UsedDays(self._cluster, self._days, asked)
        if not used.are_worth_it:
            yield _Ended(asked.begins, ends - 1)
            return
        for together in used.stretches(connection):
            is_many = together[0].people is None
            ids = None if is_many else self._of_people(together, asked.failed)
            yield _Ended(together[-1].first, together[0].last, ids=ids)

    def _over(self, asked: RunsAsked, stretch: _Ended, limit: int) -> Select[Any]:
        """Ask for what has an end, in the order of the index of ends."""
        number = RECORDS.c.id
        ended: ColumnElement[Any] = RECORDS.c.ended_at
        every = self._all()
        if stretch.ids is not None:
            # They are the cluster's. Without it and `+ 0` no index of ends is walked.
            every, ended = select(RECORDS).where(number.in_(stretch.ids)), ended + 0
        query = every.where(*self._conditions(asked, by_index=not stretch.long))
        if stretch.long:
            began = RECORDS.c.started_at < asked.ends
            query = query.where(began, _longer(stretch.long))
        latest = stretch.last
        if asked.after is not None:
            # Not beside the bounds: an index is walked from the first upper one.
            at, last = asked.after
            latest = min(latest, at)
            query = query.where(or_(ended < at, number < last))
        query = query.where(ended.between(stretch.first, latest))
        return query.order_by(ended.desc(), number.desc()).limit(limit)

    def _conditions(
        self, asked: RunsAsked, by_index: bool = True
    ) -> Iterator[Condition]:
        columns = RECORDS.c
        began = func.coalesce(
            columns.started_at, columns.ended_at, columns.submitted_at
        )
        yield began < asked.ends
        if asked.failed:
            yield columns.state.in_(sorted(FAILED_STATES))
        yield from of_whose(asked.whose, by_index)

    def _named(self, connection: Connection, asked: RunsAsked) -> Select[Any] | None:
        """Return the numbers of the job, array, training … that is asked for."""
        if asked.job is not None:
            # Tasks of an array show its number.
            begins = _BEGINS_WITH[self._engine.dialect.name]
            tasks = begins(RECORDS.c.shown_id, f"{asked.job}_")
            return self._ids(RECORDS.c.job_id == asked.job, tasks)
        if asked.thing is not None:
            if asked.whose.kind in OF_SCRIPTS:
                return self._ids(of_run(connection, asked.thing))
            return self._ids(RECORDS.c.thing == asked.thing)
        return None

    def _ids(self, *each: Condition) -> Select[Any]:
        """Return the numbers of runs of any condition, each looked up by itself."""
        mine = RECORDS.c.cluster == self._cluster
        found = union_all(*(select(RECORDS.c.id).where(mine, one) for one in each))
        return select(found.subquery().c.id)

    def _of_people(self, together: Sequence[Stretch], failed: bool) -> Select[Any]:
        """Return the numbers of runs of some people that ended on days of theirs."""
        asked = [
            (day.first, day.last, person)
            for day in together
            for person in day.people or ()
        ]
        dialect = self._engine.dialect.name
        return ids_of_people(dialect, self._cluster, asked, failed)

    def _all(self) -> Select[Any]:
        return select(RECORDS).where(RECORDS.c.cluster == self._cluster)


def ids_of_people(
    dialect: str, cluster: str, asked: Sequence[tuple[int, int, str]], failed: bool
) -> Select[Any]:
    """Return the numbers of people's runs that ended from a second to another."""
    words = _OF_PEOPLE[dialect].format(only=f"AND {FAILED_RUNS}" if failed else "")
    found = text(words).bindparams(asked=json.dumps(asked), cluster=cluster)
    return select(found.columns(RECORDS.c.id).subquery().c.id)


def entry_of(row: RowMapping) -> Entry:
    """Return a line of the book as it was written."""
    return Entry(kind=EntryKind(row["kind"]), **{name: row[name] for name in _ENTRY})


def _starts_as(column: Any, start: str) -> Condition:
    # GLOB is what SQLite finds by an index.
    found: Condition = column.op("GLOB")(f"{start}*")
    return found


def _starts_like(column: Any, start: str) -> Condition:
    found: Condition = column.like(start.replace("_", "\\_") + "%")
    return found


_BEGINS_WITH: Final[dict[str, Callable[[Any, str], Condition]]] = {
    "sqlite": _starts_as,
    "postgresql": _starts_like,
}


def _longer(seconds: int) -> Condition:
    """Return the condition of the index of long runs, word by word."""
    return cast(Condition, text(longer_than(seconds)))


def of_whose(whose: Narrowing, by_index: bool = True) -> Iterator[Condition]:
    """Yield the conditions of whose runs are meant, to be found by their indexes."""
    account: ColumnElement[str] = RECORDS.c.account
    user: ColumnElement[str] = RECORDS.c.user
    if not by_index:
        account, user = account.concat(""), user.concat("")
    if whose.tenants is not None:
        yield account.in_(whose.tenants)
    for column, value in (
        (user, whose.person),
        (RECORDS.c.partition, whose.queue),
        (RECORDS.c.qos, whose.qos),
        (RECORDS.c.kind, whose.kind),
    ):
        if value:
            yield column == value
    if whose.gpu_type == "-":
        yield RECORDS.c.gpus == ""
    elif whose.gpu_type:
        yield from _has_gpus(whose.gpu_type)


def _has_gpus(gpu_type: str) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of GPUs of these types and no others: a100, a100+v100."""
    kinds = ("" if kind == SOME_GPU else kind for kind in gpu_type.split("+"))
    pattern = ",".join(_MEANT.sub(r"!\g<0>", kind) + "=%" for kind in kinds)
    yield RECORDS.c.gpus.like(pattern, escape="!")
    yield ~RECORDS.c.gpus.like(f"{pattern},%", escape="!")


def with_sums(
    connection: Connection, rows: Sequence[RowMapping], days: Days | None
) -> tuple[UsedRun, ...]:
    """Return runs with the sums of their lines, of some days or of all."""
    query = select(LEDGER.c.record_id, *(func.sum(LEDGER.c[one]) for one in _SUMS))
    query = query.where(LEDGER.c.record_id.in_([row["id"] for row in rows]))
    if days is not None:
        query = query.where(LEDGER.c.day.between(days.first, days.last))
    sums = {
        number: tuple(map(int, found))
        for number, *found in connection.execute(query.group_by(LEDGER.c.record_id))
    }
    runs = numbers_of_runs(connection, rows)
    return tuple(
        _run(row, runs.get(row["id"], row["thing"]), sums.get(row["id"], ()))
        for row in rows
    )


def _run(row: RowMapping, thing: int | None, sums: tuple[int, ...]) -> UsedRun:
    plain = {name: row[name] for name in JobRecord._fields}
    record = JobRecord(**plain | {"suspended": row["suspended"] or ""})
    return UsedRun(row["id"], record, row["kind"], thing, *sums)


def _place(run: UsedRun) -> Place:
    ended = run.record.ended_at
    return Place(_NEVER if ended is None else ended, run.id)
