"""What ./bench stage makes of its figures."""

import pytest

from benchmarks.stage import judge

FIGURES = {
    "first_s": 1.0,
    "cp -al_s": 1.5,
    "link_s": 0.8,
    "again_ms": 2.0,
    "again, 10 files_ms": 1.0,
    "written_bytes": 0.0,
    "cp -a_s": 9.0,
    "memory_mb": 50.0,
}


def test_all_goals_are_reached_by_good_figures() -> None:
    result = judge(FIGURES, {"send_s": 3.0})
    assert (result.ratio, result.floor_ratio) == (1.5, 1.25)
    assert all(goal.met for goal in result.goals)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first_s", 1.6),
        ("written_bytes", 1.0),
        ("again_ms", 51.0),
        ("again, 10 files_ms", 51.0),
    ],
)
def test_each_goal_is_missed_by_itself(name: str, value: float) -> None:
    result = judge({**FIGURES, name: value}, {})
    assert [goal.met for goal in result.goals].count(False) == 1
