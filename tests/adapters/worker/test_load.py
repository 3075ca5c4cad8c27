"""The worker at 10,000 jobs and 2,000 nodes, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "loaded_worker.py"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def cost(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, PROGRAM, tmp_path_factory.mktemp("load")],
        capture_output=True,
        check=True,
        timeout=120,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def test_every_look_is_stored(cost: dict[str, float]) -> None:
    assert cost["jobs"] == 10_000
    assert cost["looks"] == 6


def test_memory_stays_below_120_mb_when_every_job_changes_every_time(
    cost: dict[str, float],
) -> None:
    assert cost["peak_mb"] < 120


def test_loop_goes_on_while_a_big_picture_is_stored(cost: dict[str, float]) -> None:
    # Threads take the interpreter in turns of 5 ms; the rest is a busy test machine.
    assert cost["late_ticks"] < 0.1
    assert cost["longest_pause_ms"] < 500
