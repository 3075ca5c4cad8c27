"""How the bench of taking accounting in is judged, and what it asks for."""

from itertools import pairwise

from benchmarks.ingest import JOBS, judge
from benchmarks.ingest_history import DAY_S, DAYS
from benchmarks.ingest_inside import windows

FIGURES = {
    "floor": {"wall_s": 20.0, "own_cpu_s": 1.0, "memory_peak_mb": 70.0},
    "peer": {"wall_s": 50.0, "memory_peak_mb": 900.0},
    "ours": {
        "wall_s": 39.0,
        "own_cpu_s": 33.0,
        "memory_peak_mb": 200.0,
        "records": JOBS,
    },
    "tick": {"wall_s": 0.5, "own_cpu_s": 0.2, "memory_peak_mb": 80.0},
}


def test_it_is_judged_by_sacct_alone() -> None:
    result = judge(FIGURES, {})
    assert result.floor_ratio == 1.95
    assert all(goal.met for goal in result.goals)


def test_what_is_slower_or_lacks_a_job_is_told() -> None:
    worse = {"wall_s": 41.0, "records": JOBS - 1, "own_cpu_s": 60.0}
    found = FIGURES | {"ours": FIGURES["ours"] | worse}
    met = [goal.met for goal in judge(found, {}).goals]
    assert met == [False, True, True, False, False]


def test_the_year_is_asked_for_whole() -> None:
    steps = list(windows())
    assert all(after[1] == before[0] for before, after in pairwise(steps))
    assert steps[0][1] - steps[-1][0] == (DAYS + 2) * DAY_S
