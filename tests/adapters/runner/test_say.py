"""What the runner says stands on lines of its own, in the one log of all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.runner.run_job import REPOSITORY

_SAYING = "from kqi_hub.runner.say import say; say('first'); say('second')"


def log_after(log: Path, written: bytes) -> list[str]:
    """Return the lines of a log, opened as Slurm does, after two things were said."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as output:
        output.write(written)
        subprocess.run(
            [sys.executable, "-c", _SAYING], cwd=REPOSITORY, stdout=output, check=True
        )
    return log.read_bytes().decode(errors="replace").split("\n")


@pytest.mark.parametrize("open_line", [b"epoch 3", "最後".encode(), b"50%\r", b"\xff"])
def test_a_line_that_was_not_ended_is_ended_first(
    tmp_path: Path, open_line: bytes
) -> None:
    lines = log_after(tmp_path / "log", b"before\n" + open_line)
    assert lines[1] == open_line.decode(errors="replace")
    assert [line[8:] for line in lines[2:]] == [" [kqi] first", " [kqi] second", ""]


@pytest.mark.parametrize("written", [b"", b"before\n", b"before\n\n"])
def test_no_empty_line_comes_into_being(tmp_path: Path, written: bytes) -> None:
    lines = log_after(tmp_path / "log", written)
    there = written.decode().split("\n")[:-1]
    assert lines[: len(there)] == there
    said = [line[8:] for line in lines[len(there) :]]
    assert said == [" [kqi] first", " [kqi] second", ""]


def test_what_cannot_be_read_again_is_only_written() -> None:
    """A pipe: nobody knows what went through it."""
    done = subprocess.run(
        [sys.executable, "-c", f"print('open', end='', flush=True); {_SAYING}"],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=20, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("open")
    assert done.stdout.count("\n") == 2
