"""Where the bars of a chart stand."""

from datetime import date

import pytest

from handlers.pages.usage.charts import HEIGHT, WIDTH, bars, scaled, slots, steps
from handlers.pages.usage.wanted import time_group
from kqi_hub.domain.usage import Days, Group, Totals, UsageRow, UsageTable


def days(first: str, last: str) -> Days:
    return Days(*(date.fromisoformat(one).toordinal() for one in (first, last)))


def test_days_without_use_have_a_place_too() -> None:
    span = days("2026-11-01", "2026-11-03")
    table = UsageTable(Group.DAY, (UsageRow(str(span.first + 1), Totals(amount=5)),))
    found = slots(table, span)
    assert [slot.label for slot in found] == ["2026-11-01", "2026-11-02", "2026-11-03"]
    assert [slot.totals.amount for slot in found] == [0, 5, 0]


def test_months_at_the_edges_are_no_longer_than_what_was_asked() -> None:
    span = days("2025-12-15", "2026-02-03")
    found = slots(UsageTable(Group.MONTH), span)
    assert [slot.label for slot in found] == ["2025-12", "2026-01", "2026-02"]
    assert [slot.days.number for slot in found] == [17, 31, 3]
    assert sum(slot.days.number for slot in found) == span.number


@pytest.mark.parametrize(
    ("last", "group"), [("2026-03-01", Group.DAY), ("2026-12-31", Group.MONTH)]
)
def test_a_long_time_is_drawn_by_month(last: str, group: Group) -> None:
    assert time_group(days("2026-01-01", last)) is group


def test_bars_stay_within_the_chart_and_the_highest_reaches_its_top() -> None:
    span = days("2026-11-01", "2026-11-03")
    amounts = (7, 0, -2)
    rows = tuple(
        UsageRow(str(span.first + at), Totals(amount=amount))
        for at, amount in enumerate(amounts)
    )
    found = slots(UsageTable(Group.DAY, rows), span)
    drawn = bars(found, "cost", ("a", "b", "c"), 7)
    assert [bar.height > 0 for bar in drawn] == [True, False, False]
    assert all(0 <= bar.y <= HEIGHT and bar.y + bar.height <= HEIGHT for bar in drawn)
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH for bar in drawn)
    assert (drawn[0].since, drawn[0].until) == ("2026-11-01", "2026-11-01")


def test_nothing_used_draws_nothing() -> None:
    assert scaled(5, 0) == 0
    assert bars((), "cost", (), 0) == ()
    assert steps((2.0,), 2.0).count(",") == 2
