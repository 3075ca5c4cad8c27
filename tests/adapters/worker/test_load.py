"""The worker at 10,000 jobs and 2,000 nodes, in a process of its own."""

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "loaded_worker.py"
ROOT = Path(__file__).parents[3]


def command(folder: Path, *mode: str) -> list[str]:
    return [sys.executable, str(PROGRAM), str(folder), *mode]


ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}


@pytest.fixture(scope="module")
def cost(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    done = subprocess.run(
        command(tmp_path_factory.mktemp("load")),
        capture_output=True,
        check=True,
        timeout=120,
        env=ENVIRONMENT,
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


def test_kill_9_while_a_big_picture_is_stored_leaves_one_whole_picture(
    tmp_path: Path,
) -> None:
    for pause_s in (0.15, 0.25, 0.35, 0.45):
        with subprocess.Popen(command(tmp_path, "for-ever"), env=ENVIRONMENT) as worker:
            wait_for_saves(tmp_path / "kqi.sqlite", 2)
            time.sleep(pause_s)
            worker.kill()
        with closing(sqlite3.connect(tmp_path / "kqi.sqlite")) as database:
            (verdict,) = database.execute("PRAGMA integrity_check").fetchone()
            looks = database.execute(
                "SELECT count(DISTINCT priority), count(*) FROM jobs"
            ).fetchone()
        assert verdict == "ok"
        # Every look gives all jobs its own priority: one of them, whole.
        assert looks == (1, 10_000)


def wait_for_saves(path: Path, more: int) -> None:
    first = sequence(path)
    deadline = time.monotonic() + 30
    while sequence(path) < first + more:
        assert time.monotonic() < deadline, "nothing is saved"
        time.sleep(0.02)


def sequence(path: Path) -> int:
    """Return the number of the stored picture, 0 before the first."""
    if not path.exists():
        return 0  # the worker is to make it
    with closing(sqlite3.connect(path)) as database:
        try:
            row = database.execute("SELECT sequence FROM snapshot").fetchone()
        except sqlite3.OperationalError:
            return 0  # not made yet
    return int(row[0]) if row else 0
