"""The line that a benchmark ends with, and the command that prints it."""

import json

import pytest

from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.result import Figure, Goal, Result, machine
from benchmarks.slurm_load import RUNNING_JOBS, jobs_to_submit
from benchmarks.snapshot import LARGEST, judge


def make_result() -> Result:
    return Result(
        "x",
        ours=Figure("CPU", 20.0, "ms"),
        peer=Figure("CPU of the peer", 300.0, "ms"),
        floor=Figure("CPU of next to nothing", 10.0, "ms"),
        goals=(Goal.below("CPU", 150, 20), Goal.at_least("times", 20, 15)),
        conditions={"cpus": 2},
        details={"small": {"cpu_ms": 1.5}},
    )


def test_the_last_line_has_what_readers_of_benchmarks_expect() -> None:
    line = make_result().as_json()
    assert "\n" not in line
    told = json.loads(line)
    assert set(told) == {
        *("bench", "ours", "peer", "floor", "ratio", "floor_ratio", "goals"),
        "conditions",
    }
    assert told["ours"] == {"name": "CPU", "value": 20.0, "unit": "ms"}
    assert (told["ratio"], told["floor_ratio"]) == (15.0, 2.0)
    assert told["conditions"] == {"cpus": 2, "details": {"small": {"cpu_ms": 1.5}}}


def test_goals_say_whether_they_were_met() -> None:
    cpu, times = json.loads(make_result().as_json())["goals"]
    assert cpu == {"name": "CPU", "goal": "< 150", "value": 20, "met": True}
    assert times == {"name": "times", "goal": ">= 20", "value": 15, "met": False}


def test_a_goal_at_its_limit_is_met_only_from_the_right_side() -> None:
    assert not Goal.below("x", 150, 150).met
    assert Goal.at_least("x", 10, 10).met


def test_a_person_sees_which_goal_was_missed() -> None:
    table = make_result().as_table()
    assert "NOT MET" in table
    assert "15 times better" in table


def test_conditions_name_the_machine_and_nobody() -> None:
    assert {"cpus", "cpu", "kernel", "python", "load"} == set(machine())


def figures(cpu_ms: float, own_ms: float = 1.0) -> dict[str, object]:
    usage = {
        "wall_ms": 1.0,
        "cpu_ms": cpu_ms,
        "own_cpu_ms": own_ms,
        "children_cpu_ms": 1.0,
    }
    return {
        "first": {**usage, "cpu_ms": cpu_ms * 2}, "steady": usage,
        "memory_peak_mb": 50.0, "slurmrestd_memory_mb": 3.0,
        "slurmctld_cpu_ms": 1.0, "slurmrestd_cpu_ms": 2.0,
    }  # fmt: skip


def test_the_snapshot_is_judged_at_its_largest_size() -> None:
    ways = {
        "ours": figures(100),
        "json": figures(900),
        "rest": figures(5),
        "floor": figures(50),
    }
    small = dict.fromkeys(ways, figures(1))
    worker = {"pictures": 8, "cpu_ms": 160.0, "memory_peak_mb": 90.0}
    result = judge({0: small, LARGEST: ways}, worker, {})
    assert (result.ratio, result.floor_ratio) == (9.0, 2.0)
    assert [goal.met for goal in result.goals] == [
        False,
        True,
        False,
        True,
        False,
        True,
    ]
    assert result.details[f"{LARGEST} jobs, ours, first poll"]["cpu_ms"] == 200
    assert result.details["0 jobs, rest"]["slurmrestd_memory_mb"] == 3.0


def test_submitted_jobs_differ_and_some_of_them_run() -> None:
    jobs = list(jobs_to_submit(0, 200))
    assert len({job["name"] for job in jobs}) == 200
    assert [job["hold"] for job in jobs].count(False) == RUNNING_JOBS
    assert jobs[100:] == list(jobs_to_submit(100, 200))


def test_the_list_names_every_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == list(BENCHMARKS)
    assert all(len(line.split()) > 3 for line in listed)


@pytest.mark.parametrize("arguments", [[], ["nope"], ["snapshot", "more"], ["--help"]])
def test_an_unknown_benchmark_is_answered_with_the_known_ones(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "snapshot" in told.err
