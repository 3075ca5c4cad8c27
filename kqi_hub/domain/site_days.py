"""Days and months of the site's own time zone: what a bill counts in."""

from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

# A day is its number in the calendar (`date.toordinal`), a period a month as 202611.
Day = int
Period = int


class SiteDays:
    """Where the site's days and months begin, in epoch seconds.

    A day has 23, 24 or 25 hours, once in Samoa none: clocks that move lose no second.
    """

    def __init__(self, zone: str = "UTC") -> None:
        self.zone = zone
        self._zone = ZoneInfo(zone)
        # A thousand days are looked up again and again, a million times a back-fill.
        self.begins = lru_cache(maxsize=4096)(self._begins)

    def day_of(self, moment: float) -> Day:
        """Return the local day of an epoch second."""
        guess = int(moment // 86_400) + _EPOCH_DAY
        while self.begins(guess) > moment:
            guess -= 1
        while self.begins(guess + 1) <= moment:
            guess += 1
        return guess

    def month_begins(self, period: Period) -> int:
        """Return the first second of a month."""
        return self.begins(date(period // 100, period % 100, 1).toordinal())

    def month_ends(self, period: Period) -> int:
        """Return the first second after a month."""
        return self.month_begins(next_period(period))

    def _begins(self, day: Day) -> int:
        # Where the clock skips midnight this is the first moment after the gap; a day
        # that was skipped as a whole has no second. Where midnight comes twice, the
        # first one counts.
        return int(
            datetime.combine(date.fromordinal(day), time(), self._zone).timestamp()
        )


_EPOCH_DAY = date(1970, 1, 1).toordinal()


@lru_cache(maxsize=4096)
def period_of(day: Day) -> Period:
    """Return the month of a day."""
    found = date.fromordinal(day)
    return found.year * 100 + found.month


def next_period(period: Period) -> Period:
    """Return the month after a month."""
    return period + 89 if period % 100 == 12 else period + 1
