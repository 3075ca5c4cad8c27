"""What a run tells of itself, in its folder: state.json, and at last result.json."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from kqi_hub.runner.runs.files import write_json

RESULT: Final = "result.json"
STATE: Final = "state.json"
_VERSION: Final = 1
_PROGRESS_EVERY_S: Final = 0.5

Say = Callable[[str], None]


class Diary:
    """Notes of one run; a disk that takes none is no reason for it to fail."""

    def __init__(self, folder: Path, say: Say) -> None:
        self._folder, self._say = folder, say
        self._phase = "queued"
        self._phases: dict[str, float] = {}
        self._notes: list[str] = []
        self._progress: dict[str, Any] | None = None
        self._told_at = 0.0
        self._command_pid: int | None = None
        self._has_failed = False
        self.began_at = time.time()
        self.mounts = "folder"

    def phase(self, name: str) -> None:
        """Note that a phase has begun."""
        self._phase, self._progress = name, None
        self._phases[name] = time.time()
        self._write()

    def command(self, pid: int | None) -> None:
        """Note the number of the command's process; None when it has ended."""
        self._command_pid = pid
        self._write()

    def progress(self, done: int, of: int, unit: str) -> None:
        """Note how far the phase is; more often than people look is not written."""
        self._progress = {"done": done, "of": of, "unit": unit}
        if done == of or time.monotonic() - self._told_at >= _PROGRESS_EVERY_S:
            self._write()

    def note(self, text: str) -> None:
        """Note, in the log too, what people should know about this run."""
        self._say(text)
        self._notes.append(text)
        self._write()

    def end(self, exit_code: int, why: str, found: dict[str, Any]) -> None:
        """Write the result, the last thing of all."""
        self.phase("ended")
        told = {
            "version": _VERSION,
            "exit_code": exit_code,
            "why": why,
            "value": "",
            "files": 0,
            "bytes": 0,
            "zip": None,
            "began_at": self.began_at,
            "ended_at": time.time(),
            "phases": self._phases,
            "notes": self._notes,
            "mounts": self.mounts,
            "use": None,
        } | found
        try:
            write_json(self._folder / RESULT, told, lasting=True)
        except OSError as error:
            self._say(f"The result cannot be written: {error.strerror or error}.")

    def _write(self) -> None:
        self._told_at = time.monotonic()
        told = {
            "version": _VERSION,
            "phase": self._phase,
            "at": time.time(),
            "phases": self._phases,
            "progress": self._progress,
            "notes": self._notes,
            "node": node(),
            "pid": os.getpid(),
            "command_pid": self._command_pid,
        }
        try:
            write_json(self._folder / STATE, told)
        except OSError as error:
            if not self._has_failed:
                self._say(f"state.json cannot be written: {error.strerror or error}.")
            self._has_failed = True


def node() -> str:
    """Return the node's name as Slurm has it."""
    return os.environ.get("SLURMD_NODENAME") or os.uname().nodename
