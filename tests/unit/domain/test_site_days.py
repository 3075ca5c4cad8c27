"""Days and months in zones whose clocks do what clocks should not."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from kqi_hub.domain.site_days import SiteDays, next_period, period_of

# Zones that skip midnight, have it twice, skipped a whole day, move by half an hour.
ODD_ZONES = (
    "UTC",
    "Asia/Tokyo",
    "Europe/Berlin",
    "Africa/Cairo",
    "America/Havana",
    "America/Santiago",
    "America/St_Johns",
    "America/Nuuk",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kwajalein",
)
DAYS = {zone: SiteDays(zone) for zone in ODD_ZONES}
MOMENTS = st.integers(0, 4_102_444_800)


def ordinal(text: str) -> int:
    return date.fromisoformat(text).toordinal()


@pytest.mark.parametrize("zone", ODD_ZONES)
@given(moment=MOMENTS)
@settings(max_examples=60, deadline=None)
def test_each_second_lies_on_one_day(zone: str, moment: int) -> None:
    days = DAYS[zone]
    day = days.day_of(moment)
    assert days.begins(day) <= moment < days.begins(day + 1)


@pytest.mark.parametrize("zone", ODD_ZONES)
@given(moment=MOMENTS)
@settings(max_examples=60, deadline=None)
def test_a_day_begins_with_its_first_second(zone: str, moment: int) -> None:
    days = DAYS[zone]
    day = days.day_of(moment)
    began = datetime.fromtimestamp(days.begins(day), UTC).astimezone(ZoneInfo(zone))
    before = (began.astimezone(UTC) - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    assert began.date().toordinal() == day
    assert before.date().toordinal() < day


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Asia/Beirut", "2026-03-29", 23),
        ("Asia/Beirut", "2026-10-24", 25),
        ("America/Havana", "2026-03-08", 23),
        ("Africa/Cairo", "2026-04-24", 23),
        ("Africa/Cairo", "2026-10-29", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Pacific/Apia", "2011-12-29", 24),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Pacific/Apia", "2011-12-31", 24),
        ("Asia/Pyongyang", "2018-05-04", 23.5),
        ("Asia/Tokyo", "2026-03-29", 24),
    ],
)
def test_a_day_has_the_hours_that_its_clock_gives_it(
    zone: str, day: str, hours: float
) -> None:
    days = SiteDays(zone)
    number = ordinal(day)
    assert days.begins(number + 1) - days.begins(number) == hours * 3600


def test_a_day_that_was_skipped_holds_no_moment() -> None:
    days = SiteDays("Pacific/Apia")
    skipped = days.begins(ordinal("2011-12-30"))
    assert days.day_of(skipped) == ordinal("2011-12-31")
    assert days.day_of(skipped - 1) == ordinal("2011-12-29")


@pytest.mark.parametrize("zone", ODD_ZONES)
@given(moment=MOMENTS)
@settings(max_examples=30, deadline=None)
def test_months_follow_one_another_without_a_gap(zone: str, moment: int) -> None:
    days = DAYS[zone]
    period = period_of(days.day_of(moment))
    assert days.month_begins(period) <= moment < days.month_ends(period)
    assert days.month_ends(period) == days.month_begins(next_period(period))


@pytest.mark.parametrize(
    ("period", "following"), [(202611, 202612), (202612, 202701), (199912, 200001)]
)
def test_december_is_followed_by_january(period: int, following: int) -> None:
    assert next_period(period) == following
