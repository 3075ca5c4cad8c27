"""Small files of runs: whole or not at all, counted within one's patience."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from kqi_hub.runner.runs.diary import Diary
from kqi_hub.runner.runs.files import count, write_json, write_whole
from kqi_hub.runner.runs.processes import catching, descendants, send
from tests.adapters.runner.run_job import read


def test_counting_ends_with_ones_patience(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"123")
    (tmp_path / "y").symlink_to("/etc/passwd")
    assert count(tmp_path, 5) == (2, 3 + len("/etc/passwd"))
    assert count(tmp_path, -1) == (None, None)
    assert count(tmp_path / "gone", 5) == (0, 0)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    write_json(file, {"a": 1})
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(TypeError):
        write_json(file, {"a": object()})
    with pytest.raises(TypeError):
        write_whole(file, "text")  # type: ignore[arg-type] # fails while it writes
    assert read(file) == {"a": 1}
    assert list(tmp_path.iterdir()) == [file]


def test_a_diary_without_a_folder_says_so_once_and_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    diary = Diary(tmp_path / "gone", said.append)
    diary.phase("staging")
    diary.progress(1, 2, "bytes")
    diary.end(0, "", {})
    assert len([line for line in said if "state.json" in line]) == 1
    assert "The result cannot be written" in said[-1]


def test_progress_is_written_now_and_then_and_at_its_end(tmp_path: Path) -> None:
    diary = Diary(tmp_path, print)
    diary.phase("staging")
    for done in range(1, 1001):
        diary.progress(done, 1000, "files")
    told = read(tmp_path / "state.json")
    assert told["progress"] == {"done": 1000, "of": 1000, "unit": "files"}
    assert told["phase"] == "staging"
    assert list(told["phases"]) == ["staging"]


def test_processes_are_found_however_far_and_whoever_hears_a_signal() -> None:
    deaf = subprocess.Popen(["bash", "-c", "(sleep 60 & wait) & wait"])
    hears = subprocess.Popen(
        ["bash", "-c", "trap 'exit 3' USR1; echo ready; while :; do sleep 0.05; done"],
        stdout=subprocess.PIPE,
    )
    try:
        assert hears.stdout is not None
        assert hears.stdout.readline() == b"ready\n"
        until = time.monotonic() + 10
        while len(descendants(deaf.pid)) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        assert len(descendants(deaf.pid)) == 2
        own = descendants(os.getpid())
        assert {deaf.pid, hears.pid} <= own
        assert catching({deaf.pid, hears.pid}, signal.SIGUSR1) == {hears.pid}
        send({hears.pid, 2**22 + 1}, signal.SIGUSR1)  # one is not there
        assert hears.wait(10) == 3
    finally:
        send(descendants(deaf.pid) | {deaf.pid}, signal.SIGKILL)
        hears.kill()
        deaf.wait()
        hears.wait()
        if hears.stdout is not None:
            hears.stdout.close()
    assert descendants(deaf.pid) == set()
