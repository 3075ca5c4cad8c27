"""Run a program to its end, and never leave one behind."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_GRACE_S: Final = 5.0


def run(
    argv: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    timeout_s: float | None = None,
) -> int:
    """Return the exit code; what the program says goes to the job's log.

    It has a process group of its own, which is ended when the time is up or when the
    caller is interrupted. Raises subprocess.TimeoutExpired and OSError.
    """
    process = subprocess.Popen(
        argv,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(timeout_s)
    except BaseException:
        end_group(process)
        raise


def end_group(process: subprocess.Popen[bytes], grace_s: float = _GRACE_S) -> None:
    """End a program and what it started: ask first, then insist."""
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        _signal_group(process, signal.SIGKILL)
        process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)
