"""Any days as a few whole months and some days, or a month without some of its days."""

from collections.abc import Iterator
from typing import NamedTuple

from kqi_hub.domain.site_days import period_of
from kqi_hub.domain.usage import Days
from kqi_hub.domain.usage_cuts import Grain
from kqi_hub.domain.usage_periods import month_days, whole_months


class Slice(NamedTuple):
    """Days or months from the first to the last; `sign` -1: they are taken away."""

    grain: Grain
    first: int
    last: int
    sign: int = 1

    @property
    def times(self) -> list[int]:
        """Return the number of each day or month."""
        if self.grain is Grain.DAY:
            return list(range(self.first, self.last + 1))
        years = range(self.first // 100, self.last // 100 + 1)
        found = (year * 100 + month for year in years for month in range(1, 13))
        return [period for period in found if self.first <= period <= self.last]


def slices_of(days: Days, by_day: bool) -> tuple[Slice, ...]:
    """Return what to add up for some days, as little as possible."""
    if by_day:
        return (Slice(Grain.DAY, *days),)
    inner, edges = whole_months(days)
    found = [] if inner is None else [_months(inner)]
    for edge in edges:
        for part in _by_month(edge):
            found += _part(part)
    return tuple(found)


def _months(days: Days) -> Slice:
    return Slice(Grain.MONTH, period_of(days.first), period_of(days.last))


def _by_month(days: Days) -> Iterator[Days]:
    first = days.first
    while first <= days.last:
        last = min(days.last, month_days(period_of(first)).last)
        yield Days(first, last)
        first = last + 1


def _part(part: Days) -> Iterator[Slice]:
    """Yield a part of a month: its days, or the month without the others."""
    whole = month_days(period_of(part.first))
    if 2 * part.number <= whole.number:
        yield Slice(Grain.DAY, *part)
        return
    yield _months(whole)
    others = (Days(whole.first, part.first - 1), Days(part.last + 1, whole.last))
    for one in others:
        if one.number > 0:
            yield Slice(Grain.DAY, *one, sign=-1)
