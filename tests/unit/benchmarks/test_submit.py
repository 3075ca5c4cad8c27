"""What ./bench submit makes of its figures."""

from collections.abc import Mapping

import pytest

from benchmarks.slurm_rpcs import Counts
from benchmarks.submit import judge
from benchmarks.submit_inside import MANY, asked_between, told

FIGURES: Mapping[str, Mapping[str, float]] = {
    "ours": {"median_s": 1.0, "calls": 2.0, "submissions": 1.0},
    "submitit": {"median_s": 1.5, "calls": 2.0, "submissions": 1.0},
    "sbatch --array": {"median_s": 0.05, "calls": 1.0, "submissions": 1.0},
    "sbatch calls": {"median_s": 40.0, "calls": 1.0 * MANY, "submissions": 1.0 * MANY},
    "single, ours": {"median_s": 0.09},
    "single, sbatch": {"median_s": 0.04},
}


def test_all_goals_are_reached_by_good_figures() -> None:
    result = judge(FIGURES, {"load": 0.1})
    assert (result.ratio, result.floor_ratio) == (1.5, 20)
    assert all(goal.met for goal in result.goals)


@pytest.mark.parametrize(
    ("way", "figure", "value"),
    [
        ("ours", "median_s", 2.0),
        ("ours", "calls", 3.0),
        ("single, ours", "median_s", 0.101),
        ("single, sbatch", "median_s", 0.02),
    ],
)
def test_each_goal_is_missed_by_itself(way: str, figure: str, value: float) -> None:
    worse = {**FIGURES, way: {**FIGURES[way], figure: value}}
    result = judge(worse, {})
    assert [goal.met for goal in result.goals].count(False) == 1


def test_a_controller_that_wants_two_calls_for_a_submission_allows_one_more() -> None:
    twice = {**FIGURES["sbatch calls"], "calls": 2.0 * MANY}
    ours = {**FIGURES["ours"], "calls": 3.0}
    result = judge({**FIGURES, "sbatch calls": twice, "ours": ours}, {})
    assert all(goal.met for goal in result.goals)


def test_calls_are_the_persons_and_the_portals_about_one_job() -> None:
    before = Counts({"alice": 5, "kqi": 100, "root": 7}, {"REQUEST_JOB_INFO_SINGLE": 3})
    after = Counts({"alice": 7, "kqi": 180, "root": 90}, {"REQUEST_JOB_INFO_SINGLE": 4})
    assert asked_between(before, after) == 3
    assert asked_between(Counts({}, {}), Counts({}, {})) == 0


def test_medians_are_told_with_the_longest() -> None:
    assert told([0.3, 0.1, 0.2]) == {"median_s": 0.2, "most_s": 0.3}
