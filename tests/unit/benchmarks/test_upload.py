"""What ./bench upload makes of its figures."""

from collections.abc import Mapping

import pytest

from benchmarks.upload import judge

FIGURES: Mapping[str, Mapping[str, float]] = {
    "kqi, small": {"median_s": 7.0},
    "kqi, large": {"median_s": 2.0},
    "cp, large": {"median_s": 1.3},
    "cp + sync, large": {"median_s": 1.4},
    "cp + sync, small": {"median_s": 7.0},
    "jupyterlab, small": {"median_s": 21.0},
    "browser, small": {"median_s": 15.0},
    "browser, large": {"median_s": 2.2},
    "memory": {"store_mb": 45.0},
}


def test_all_goals_are_reached_by_good_figures() -> None:
    result = judge(FIGURES, {})
    assert (result.ratio, result.floor_ratio) == (3, 1)
    assert [goal.met for goal in result.goals] == [True] * 6


@pytest.mark.parametrize(
    ("way", "figure", "value"),
    [
        ("kqi, small", "median_s", 10.0),
        ("cp, large", "median_s", 1.1),
        ("browser, small", "median_s", 30.0),
        ("browser, large", "median_s", 2.4),
        ("memory", "store_mb", 201.0),
    ],
)
def test_each_goal_is_missed_by_itself(way: str, figure: str, value: float) -> None:
    result = judge({**FIGURES, way: {figure: value}}, {})
    assert [goal.met for goal in result.goals].count(False) == 1


def test_without_a_browser_its_goals_are_not_told() -> None:
    figures = {way: found for way, found in FIGURES.items() if "browser" not in way}
    result = judge(figures, {})
    assert not any("browser" in goal.name for goal in result.goals)
