"""On which days runs of a kind ended, and whose: so that lists need not look for them.

The sums say it. Of what is rare among millions of runs only those days are read.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from sqlalchemy import Connection

from kqi_hub.db.usage_sources import Question, narrows, source_of
from kqi_hub.domain.site_days import Day, SiteDays, period_of
from kqi_hub.domain.usage import Days, RunsAsked, Totals
from kqi_hub.domain.usage_cuts import PERSON, TENANT, Grain
from kqi_hub.domain.usage_periods import month_days
from kqi_hub.domain.usage_slices import Slice

# People by whom a day's runs are looked up; with more, runs are not rare.
_MOST_PEOPLE: Final = 20


class Stretch(NamedTuple):
    """A day's seconds, and who had such runs in it; None: too many to name."""

    begins: int
    ends: int
    people: tuple[str, ...] | None


class UsedDays:
    """Days with runs that are asked for, the last first."""

    def __init__(self, cluster: str, days: SiteDays, asked: RunsAsked) -> None:
        self._cluster = cluster
        self._days = days
        self._asked = asked
        self._wanted = narrows(asked.whose)

    @property
    def are_worth_it(self) -> bool:
        """Tell whether an index of ends does not find such runs by itself."""
        return self._asked.failed or bool(set(self._wanted) - {TENANT, PERSON})

    def stretches(self, connection: Connection) -> Iterator[Stretch]:
        """Yield days in which such runs ended."""
        first, last = self._asked.days
        if self._asked.after is not None:
            # A run without an end is later than any day.
            newest = min(self._asked.after.ended_at, self._asked.ends)
            last = min(last, self._days.day_of(newest))
        if last < first:
            return
        months = Slice(Grain.MONTH, period_of(first), period_of(last))
        for period in self._times(connection, months):
            month = month_days(period)
            days = Days(max(first, month.first), min(last, month.last))
            for day in self._times(connection, Slice(Grain.DAY, *days)):
                people = self._people(connection, day)
                yield Stretch(
                    self._days.begins(day), self._days.begins(day + 1), people
                )

    def _times(self, connection: Connection, one: Slice) -> list[int]:
        source = source_of(frozenset(self._wanted), one.grain)
        asked = Question(self._cluster, source, one, self._wanted, ())
        found = asked.answer(connection)
        return sorted((at for [at], sums in found if self._count(sums)), reverse=True)

    def _people(self, connection: Connection, day: Day) -> tuple[str, ...] | None:
        if PERSON in self._wanted:
            return None
        one = Slice(Grain.DAY, day, day)
        source = source_of(frozenset(self._wanted) | {PERSON}, one.grain)
        asked = Question(self._cluster, source, one, self._wanted, (PERSON,))
        found = asked.answer(connection)
        people = tuple(person for [person], sums in found if self._count(sums))
        return people if len(people) <= _MOST_PEOPLE else None

    def _count(self, sums: Totals) -> int:
        return sums.failed_runs if self._asked.failed else sums.runs
