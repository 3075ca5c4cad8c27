"""Periods as people type them: this-month, 2026-11, 30-days, or two days."""

import re
from datetime import date
from typing import Final

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.site_days import Day, Period
from kqi_hub.domain.usage import Days

THIS_MONTH: Final = "this-month"
LAST_MONTH: Final = "last-month"
# What is offered by name; any other month, year, number of days or months works too.
NAMED: Final = (
    THIS_MONTH,
    LAST_MONTH,
    "7-days",
    "30-days",
    "12-months",
    "this-year",
)
_MONTH: Final = re.compile(r"([0-9]{4})-([0-9]{2})", re.ASCII)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_YEAR: Final = re.compile(r"[0-9]{4}", re.ASCII)
_LAST: Final = re.compile(r"([1-9][0-9]{0,3})-(day|month)s?", re.ASCII)
_YEARS: Final = range(2000, 2101)


def read_days(period: str, since: str, until: str, today: Day) -> Days:
    """Return the days that were asked for; `since` and `until` go before `period`."""
    if since or until:
        first = _day(since) if since else _start_of_month(_day(until))
        last = _day(until) if until else max(today, first)
        if last < first:
            raise InvalidInput(
                "{until} is before {since}.",
                "Give the earlier day first.",
                since=since[:40],
                until=until[:40],
            )
        return Days(first, last)
    return _named(period or THIS_MONTH, today)


def read_period(text: str) -> Period:
    """Return the month of 2026-11."""
    found = _MONTH.fullmatch(text)
    if found is None or int(found[1]) not in _YEARS or not 1 <= int(found[2]) <= 12:
        raise InvalidInput(
            "{text} is no month.", "Write it as 2026-11.", text=text[:40]
        )
    return int(found[1]) * 100 + int(found[2])


def said_period(period: Period) -> str:
    """Write a month as 2026-11."""
    return f"{period // 100:04}-{period % 100:02}"


def said_day(day: Day) -> str:
    """Write a day as 2026-11-21."""
    return date.fromordinal(day).isoformat()


def month_days(period: Period) -> Days:
    """Return the days of a month."""
    first = date(period // 100, period % 100, 1)
    return Days(first.toordinal(), _month_after(first).toordinal() - 1)


def whole_months(days: Days) -> tuple[Days | None, tuple[Days, ...]]:
    """Return the whole months within some days, and the days beside them."""
    first = date.fromordinal(days.first)
    begins = first if first.day == 1 else _month_after(first)
    after = date.fromordinal(days.last + 1).replace(day=1)
    if after <= begins:
        return None, (days,)
    inner = Days(begins.toordinal(), after.toordinal() - 1)
    edges = (Days(days.first, inner.first - 1), Days(inner.last + 1, days.last))
    return inner, tuple(edge for edge in edges if edge.number > 0)


def _named(period: str, today: Day) -> Days:
    now = date.fromordinal(today)
    if period == THIS_MONTH:
        return Days(now.replace(day=1).toordinal(), today)
    if period == LAST_MONTH:
        last = now.replace(day=1).toordinal() - 1
        return Days(_start_of_month(last), last)
    if period == "this-year":
        return Days(now.replace(month=1, day=1).toordinal(), today)
    if found := _LAST.fullmatch(period):
        return _last(int(found[1]), found[2], today)
    if _YEAR.fullmatch(period) and int(period) in _YEARS:
        year = int(period)
        return Days(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal())
    if _MONTH.fullmatch(period):
        return month_days(read_period(period))
    raise InvalidInput(
        "{period} is no period.",
        "Write this-month, last-month, 30-days, 12-months, 2026-11 or 2026.",
        period=period[:40],
    )


def _last(count: int, unit: str, today: Day) -> Days:
    if unit == "day":
        return Days(today - count + 1, today)
    now = date.fromordinal(today)
    months = max(_YEARS[0] * 12, now.year * 12 + now.month - count)
    return Days(date(months // 12, months % 12 + 1, 1).toordinal(), today)


def _day(text: str) -> Day:
    # ISO 8601 knows days of weeks, too: people here do not.
    if not _DAY.fullmatch(text):
        raise _no_day(text)
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise _no_day(text) from error
    if found.year not in _YEARS:
        raise _no_day(text)
    return found.toordinal()


def _no_day(text: str) -> InvalidInput:
    return InvalidInput("{text} is no day.", "Write it as 2026-11-21.", text=text[:40])


def _start_of_month(day: Day) -> Day:
    return date.fromordinal(day).replace(day=1).toordinal()


def _month_after(day: date) -> date:
    year, month = divmod(day.year * 12 + day.month, 12)
    return date(year, month + 1, 1)
