"""Periods as people type them."""

from datetime import date

import pytest

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.usage import Days
from kqi_hub.domain.usage_periods import (
    month_days,
    read_days,
    read_period,
    said_day,
    said_period,
    whole_months,
)

TODAY = date(2026, 11, 22).toordinal()


def days(first: str, last: str) -> Days:
    return Days(*(date.fromisoformat(one).toordinal() for one in (first, last)))


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("", "2026-11-01", "2026-11-22"),
        ("this-month", "2026-11-01", "2026-11-22"),
        ("last-month", "2026-10-01", "2026-10-31"),
        ("this-year", "2026-01-01", "2026-11-22"),
        ("1-day", "2026-11-22", "2026-11-22"),
        ("7-days", "2026-11-16", "2026-11-22"),
        ("1-month", "2026-11-01", "2026-11-22"),
        ("12-months", "2025-12-01", "2026-11-22"),
        ("9999-months", "2000-01-01", "2026-11-22"),
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("2024-12", "2024-12-01", "2024-12-31"),
        ("2024", "2024-01-01", "2024-12-31"),
    ],
)
def test_a_period_is_some_days(period: str, first: str, last: str) -> None:
    assert read_days(period, "", "", TODAY) == days(first, last)


@pytest.mark.parametrize(
    ("since", "until", "first", "last"),
    [
        ("2026-10-05", "2026-10-07", "2026-10-05", "2026-10-07"),
        ("2026-10-05", "", "2026-10-05", "2026-11-22"),
        ("", "2026-10-07", "2026-10-01", "2026-10-07"),
        ("2027-01-01", "", "2027-01-01", "2027-01-01"),
    ],
)
def test_two_days_go_before_a_period(
    since: str, until: str, first: str, last: str
) -> None:
    assert read_days("last-month", since, until, TODAY) == days(first, last)


@pytest.mark.parametrize(
    ("period", "since", "until"),
    [
        ("2026-13", "", ""),
        ("0001-01", "", ""),
        ("1999", "", ""),
        ("0-days", "", ""),
        ("yesterday", "", ""),
        ("\N{ARABIC-INDIC DIGIT TWO}026-11", "", ""),
        ("", "2026-11-31", ""),
        ("", "0001-01-01", ""),
        ("", "20261101", ""),
        ("", "2026-W01-1", ""),
        ("", "", "9999-12-31"),
        ("", "2026-11-02", "2026-11-01"),
        ("", "\0", ""),
    ],
)
def test_what_is_no_period_is_refused(period: str, since: str, until: str) -> None:
    with pytest.raises(InvalidInput):
        read_days(period, since, until, TODAY)


def test_a_month_is_written_as_it_is_read() -> None:
    assert said_period(read_period("2026-03")) == "2026-03"
    assert said_day(month_days(202612).last) == "2026-12-31"


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-11-01", "2026-11-30"),
        ("2026-11-02", "2026-11-30"),
        ("2026-11-01", "2026-11-29"),
        ("2025-12-31", "2026-02-01"),
        ("2025-12-01", "2026-12-31"),
        ("2026-11-05", "2026-11-05"),
        ("2026-10-31", "2026-11-01"),
    ],
)
def test_whole_months_and_their_edges_are_all_days_once(first: str, last: str) -> None:
    asked = days(first, last)
    inner, edges = whole_months(asked)
    parts = [*edges, *([inner] if inner else [])]
    found = sorted(day for one in parts for day in range(one.first, one.last + 1))
    assert found == list(range(asked.first, asked.last + 1))
    if inner:
        begins, after = (date.fromordinal(one) for one in (inner.first, inner.last + 1))
        assert begins.day == after.day == 1
