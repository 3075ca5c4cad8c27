"""On which days runs of a kind ended, and whose: so that lists need not look for them.

The sums say it. Of what is rare among millions of runs only those days are read.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection

from kqi_hub.db.usage_sources import TIME, Question, narrows, source_of
from kqi_hub.domain.site_days import Day, SiteDays, period_of
from kqi_hub.domain.usage import Days, RunsAsked
from kqi_hub.domain.usage_cuts import PERSON, TENANT, Grain
from kqi_hub.domain.usage_periods import month_days
from kqi_hub.domain.usage_slices import Slice

# People by whom a day's runs are looked up; with more, runs are not rare.
_MOST_PEOPLE: Final = 20
# Days that are looked up together.
_MOST_DAYS: Final = 100


class Stretch(NamedTuple):
    """A day's first and last second, and whose runs; None: too many to name."""

    first: int
    last: int
    people: list[str] | None


class UsedDays:
    """Days with runs that are asked for, the last first."""

    def __init__(self, cluster: str, days: SiteDays, asked: RunsAsked) -> None:
        self._cluster = cluster
        self._days = days
        self._asked = asked
        self._wanted = narrows(asked.whose)
        self._counted = "failed_runs" if asked.failed else "runs"

    @property
    def are_worth_it(self) -> bool:
        """Tell whether an index of ends does not find such runs by itself."""
        return self._asked.failed or bool(set(self._wanted) - {TENANT, PERSON})

    def stretches(self, connection: Connection) -> Iterator[list[Stretch]]:
        """Yield days in which such runs ended: those to be read together."""
        for days in self._pages(connection):
            together: list[Stretch] = []
            for one in self._whose(connection, days):
                if one.people is not None:
                    together.append(one)
                    continue
                if together:
                    yield together
                    together = []
                yield [one]
            if together:
                yield together

    def _pages(self, connection: Connection) -> Iterator[list[Day]]:
        """Yield days that are enough for a page of runs, or are the rest."""
        page: list[Day] = []
        runs = 0
        for day, number in self._used(connection):
            page.append(day)
            runs += number
            if runs > self._asked.limit or len(page) == _MOST_DAYS:
                yield page
                page, runs = [], 0
        if page:
            yield page

    def _used(self, connection: Connection) -> Iterator[tuple[Day, int]]:
        """Yield days with how many such runs ended in them."""
        first, last = self._asked.days
        if self._asked.after is not None:
            # A run without an end is later than any day.
            newest = min(self._asked.after.ended_at, self._asked.ends)
            last = min(last, self._days.day_of(newest))
        if last < first:
            return
        months = Slice(Grain.MONTH, period_of(first), period_of(last))
        for period, _ in self._times(connection, months):
            month = month_days(period)
            days = Days(max(first, month.first), min(last, month.last))
            yield from self._times(connection, Slice(Grain.DAY, *days))

    def _times(self, connection: Connection, one: Slice) -> list[tuple[int, int]]:
        asked = self._question(one, (TIME,))
        found = asked.answer(connection)
        return sorted(
            ((at, getattr(sums, self._counted)) for [at], sums in found), reverse=True
        )

    def _whose(self, connection: Connection, days: Sequence[Day]) -> Iterator[Stretch]:
        people: dict[Day, list[str]] = {day: [] for day in days}
        if PERSON in self._wanted:
            people = {day: [self._asked.whose.person] for day in days}
        else:
            for day, person in self._people(connection, days):
                people[day].append(person)
        for day, found in people.items():
            begins, ends = self._days.begins(day), self._days.begins(day + 1)
            yield Stretch(
                begins, ends - 1, found if len(found) <= _MOST_PEOPLE else None
            )

    def _people(
        self, connection: Connection, days: Sequence[Day]
    ) -> Iterator[tuple[Day, str]]:
        span = Slice(Grain.DAY, min(days), max(days))
        asked = self._question(span, (TIME, PERSON), tuple(days))
        for [day, person], _ in asked.answer(connection):
            yield day, person

    def _question(
        self, one: Slice, columns: tuple[str, ...], times: tuple[int, ...] = ()
    ) -> Question:
        source = source_of({*self._wanted, *columns}, one.grain)
        return Question(
            self._cluster, source, one, self._wanted, columns, times, self._counted
        )
