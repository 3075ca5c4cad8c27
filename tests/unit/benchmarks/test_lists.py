"""What ./bench lists makes of its figures."""

import pytest

from benchmarks.lists import Figures, judge

PEER = {"by name": 120.0, "first page": 150.0}
WATCHED = {"calls_a_look_alone": 3.0, "calls_a_look_watched": 3.08}
LOG = {"longest": 700.0}


def figures(**slow: float) -> Figures:
    """Return figures of two questions on both, each p99 the double of its p50."""
    return {
        f"{question}, {database}": {"p50": 20.0, "p99": slow.get(database, 40.0)}
        for question in ("by name", "first page")
        for database in ("SQLite", "PostgreSQL")
    }


def test_all_goals_are_reached_by_good_figures() -> None:
    result = judge(figures(), PEER, 2.0, WATCHED, LOG, {})
    assert (result.ratio, result.floor_ratio) == (6.75, 10)
    assert [goal.met for goal in result.goals] == [True] * 4
    assert result.details["50 watchers"] == WATCHED
    assert result.details["by name, MLflow"] == {"p50": 120.0}


@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_each_database_has_a_goal_of_its_own(database: str) -> None:
    result = judge(figures(**{database: 100.0}), PEER, 2.0, WATCHED, LOG, {})
    missed = [goal.name for goal in result.goals if not goal.met]
    assert missed == [f"p99 of by name, {database}, ms"]


def test_a_call_of_each_watcher_would_be_seen() -> None:
    watched = {**WATCHED, "calls_a_look_watched": 53.0}
    result = judge(figures(), PEER, 2.0, watched, LOG, {})
    assert [goal.met for goal in result.goals] == [True, True, False, True]


def test_a_log_that_opens_slowly_once_misses_its_goal() -> None:
    result = judge(figures(), PEER, 2.0, WATCHED, {"p50": 500.0, "longest": 1000.0}, {})
    assert [goal.met for goal in result.goals] == [True, True, True, False]
