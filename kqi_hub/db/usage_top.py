"""The runs of a time that stand out, looked for where the peaks are high.

Peaks say, by month and by day, what the runs of each person come to at most. The
highest are looked at first, and nothing more as soon as no peak reaches what was found.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    bindparam,
    func,
    select,
    text,
)

from kqi_hub.db.accounting_tables import UsagePeakRow
from kqi_hub.db.engine import reading
from kqi_hub.db.list_plans import plan_for_lists
from kqi_hub.db.usage_runs import (
    LEDGER,
    RECORDS,
    SqlUsedRuns,
    ids_of_people,
    of_whose,
    with_sums,
)
from kqi_hub.db.usage_sources import narrows
from kqi_hub.domain.site_days import SiteDays, period_of
from kqi_hub.domain.usage import Days, UsedRun
from kqi_hub.domain.usage_cuts import PERSON, TENANT, Grain
from kqi_hub.domain.usage_peaks import Peaks
from kqi_hub.domain.usage_periods import month_days
from kqi_hub.domain.usage_slices import Slice
from kqi_hub.domain.usage_top import Top, TopAsked

PEAKS: Final = cast(Table, UsagePeakRow.__table__)
_PEAK: Final = dict(zip(Top, Peaks._fields, strict=True))
# Months of people that are fetched together.
_MONTHS_ASKED: Final = 256
# One look into the key for each person's day, whatever the planner thinks.
_OF_DAYS: Final = {
    "sqlite": "json_each(:asked) AS asked CROSS JOIN usage_peaks AS p"
    " ON p.cluster = :cluster AND p.grain = 'day'"
    " AND p.at = json_extract(asked.value, '$[0]')"
    " AND p.\"user\" = json_extract(asked.value, '$[1]')",
    "postgresql": "json_array_elements(CAST(:asked AS json)) AS asked"
    " CROSS JOIN LATERAL (SELECT * FROM usage_peaks AS one"
    " WHERE one.cluster = :cluster AND one.grain = 'day'"
    " AND one.at = CAST(asked.value ->> 0 AS bigint)"
    ' AND one."user" = asked.value ->> 1 OFFSET 0) AS p',
}


class _Reach(NamedTuple):
    """How far up a run stands, or the runs of a time at most: the latest of equals."""

    value: int
    ended_at: int
    id: int


class _Part(NamedTuple):
    """A month's or a day's runs of a person, not looked at yet."""

    reach: _Reach
    days: Days
    person: str


class SqlRunsAndTops(SqlUsedRuns):
    """A UsedRunStore (services/usage.py) that also finds what stands out."""

    def top(self, asked: TopAsked) -> tuple[UsedRun, ...]:
        """Return the runs that stand out most, the first one first."""
        with reading(self._engine) as connection:
            plan_for_lists(connection)
            search = _Search(connection, self._cluster, self._days, asked)
            found = [one.id for one in search.found()]
            rows = connection.execute(select(RECORDS).where(RECORDS.c.id.in_(found)))
            runs = with_sums(connection, rows.mappings().all(), None)
        by_id = {run.id: run for run in runs}
        return tuple(by_id[number] for number in found)


class _Search:
    """One search from the highest peaks down."""

    def __init__(
        self, connection: Connection, cluster: str, days: SiteDays, asked: TopAsked
    ) -> None:
        self._connection = connection
        self._cluster = cluster
        self._days = days
        self._asked = asked
        self._wanted = narrows(asked.whose)
        self._peak = _PEAK[asked.by]
        self._span = Days(days.day_of(asked.begins), days.day_of(asked.ends - 1))
        # The best so far.
        self._best: list[_Reach] = []

    def found(self) -> Sequence[_Reach]:
        """Return the best runs, the first one first."""
        if self._asked.begins >= self._asked.ends:
            return ()
        months, days = self._months(), list[_Part]()
        # A peak is a run, if nothing made that less: mostly so many are enough.
        most = self._asked.limit
        month = next(months, None)
        while parts := [one for one in (month, *days[-1:]) if one]:
            highest = max(parts)
            if not self._reaches(highest.reach):
                break
            taken: list[_Part] = []
            if highest is month:
                while month and len(taken) < most and self._reaches(month.reach):
                    taken.append(month)
                    month = next(months, None)
                days = sorted([*days, *self._days_of(taken)])
            else:
                while days and len(taken) < most and self._reaches(days[-1].reach):
                    if month and days[-1].reach < month.reach:
                        break
                    taken.append(days.pop())
                self._look_at(taken)
        return self._best

    def _reaches(self, reach: _Reach) -> bool:
        """Tell whether a run there may be better than the last of the best."""
        return len(self._best) < self._asked.limit or reach > self._best[-1]

    def _months(self) -> Iterator[_Part]:
        """Yield each person's months that have runs, the highest first."""
        begins, count = 0, _MONTHS_ASKED
        while rows := self._month_rows(begins, count):
            for period, person, value in rows:
                month = month_days(period)
                first = max(month.first, self._span.first)
                last = min(month.last, self._span.last)
                yield self._part(Days(first, last), person, value)
            if len(rows) < count:
                return
            # The first ones are seldom not enough.
            begins, count = begins + count, count * 8

    def _month_rows(self, begins: int, count: int) -> Sequence[Any]:
        months = Slice(Grain.MONTH, *map(period_of, self._span))
        at, person, peak = PEAKS.c.at, PEAKS.c[PERSON], func.max(PEAKS.c[self._peak])
        # A person is looked up in each month.
        is_one = PERSON in self._wanted
        time = at.in_(months.times) if is_one else at.between(months.first, months.last)
        query = select(at, person, peak).where(
            PEAKS.c.cluster == self._cluster,
            PEAKS.c.grain == Grain.MONTH.value,
            time,
            *(
                PEAKS.c[name].in_(value) if name == TENANT else PEAKS.c[name] == value
                for name, value in self._wanted.items()
            ),
        )
        query = query.group_by(at, person).having(peak > 0)
        query = query.order_by(peak.desc(), at.desc(), person)
        return self._connection.execute(query.limit(count).offset(begins)).all()

    def _days_of(self, months: Sequence[_Part]) -> Iterator[_Part]:
        """Yield each day of people's months that has runs."""
        asked = [
            (day, part.person)
            for part in months
            for day in range(part.days.first, part.days.last + 1)
        ]
        found = f'SELECT p.at, p."user", max(p."{self._peak}") FROM '  # noqa: S608  our own names
        found += (
            _OF_DAYS[self._connection.dialect.name] + f' WHERE p."{self._peak}" > 0'
        )
        for name in self._wanted:
            several = name == TENANT
            found += f' AND p."{name}" ' + (f"IN :{name}" if several else f"= :{name}")
        query = text(found + " GROUP BY 1, 2")
        if TENANT in self._wanted:
            query = query.bindparams(bindparam(TENANT, expanding=True))
        values = {**self._wanted, "asked": json.dumps(asked), "cluster": self._cluster}
        for day, person, value in self._connection.execute(query, values):
            yield self._part(Days(day, day), person, value)

    def _part(self, days: Days, person: str, value: int) -> _Part:
        ends = min(self._asked.ends, self._days.begins(days.last + 1))
        # Above any run of its last second, whatever its number.
        return _Part(_Reach(value, ends, 0), days, person)

    def _look_at(self, parts: Sequence[_Part]) -> None:
        """Look at the runs of people's days, and keep the best."""
        asked = [
            (
                max(self._asked.begins, self._days.begins(part.days.first)),
                part.reach.ended_at - 1,
                part.person,
            )
            for part in parts
        ]
        value = self._value().label("value")
        # They are the cluster's, and ended in the time.
        failed = self._asked.by is Top.FAILED_GPU
        ids = ids_of_people(self._connection.dialect.name, self._cluster, asked, failed)
        query = select(value, RECORDS.c.ended_at, RECORDS.c.id).where(
            RECORDS.c.id.in_(ids), *of_whose(self._asked.whose, by_index=False)
        )
        if failed:
            query = query.where(RECORDS.c.gpus != "")
        ended, number = RECORDS.c.ended_at, RECORDS.c.id
        query = query.order_by(value.desc(), ended.desc(), number.desc())
        for row in self._connection.execute(query.limit(self._asked.limit)):
            one = _Reach(int(row[0]), *row[1:])
            if one.value > 0:
                self._best.append(one)
        self._best.sort(reverse=True)
        del self._best[self._asked.limit :]

    def _value(self) -> ColumnElement[Any]:
        """Return what a run stands out by, as a whole."""
        if self._asked.by is Top.WAIT:
            could = func.coalesce(RECORDS.c.eligible_at, RECORDS.c.submitted_at)
            return func.coalesce(RECORDS.c.started_at - could, 0)
        summed = LEDGER.c.amount if self._asked.by is Top.COST else LEDGER.c.gpu_s
        lines = select(func.sum(summed)).where(LEDGER.c.record_id == RECORDS.c.id)
        return func.coalesce(lines.scalar_subquery(), 0)
