"""The folder of a task: its order, its state for whoever asks, and its lock."""

import contextlib
import os
import re
import socket
import time
from pathlib import Path
from typing import Any, Final

from conda_bootstrap.errors import BootstrapError
from conda_bootstrap.json_files import read_object, write_json
from conda_bootstrap.locks import held_file
from conda_bootstrap.marker import now
from conda_bootstrap.places import Places
from conda_bootstrap.reporting import Event

ID: Final = re.compile(r"[0-9]{8}T[0-9]{6}-[a-z2-7]{8}")
ENDED: Final = ("done", "failed", "refused", "cancelled")
_LOOKED_AT: Final = 40
_EVERY_S: Final = 0.5


def read_state(folder: Path) -> dict[str, Any]:
    """Return a task's state; `asked` when nobody has begun it."""
    state = read_object(folder / "state.json")
    return state if isinstance(state.get("state"), str) else {"state": "asked"}


def tasks_under_way(places: Places) -> dict[str, str]:
    """Return the task that each environment is worked on by, or waits for."""
    try:
        names = sorted(one.name for one in places.tasks.iterdir())
    except OSError:
        return {}
    found: dict[str, str] = {}
    for identifier in [one for one in names if ID.fullmatch(one)][-_LOOKED_AT:]:
        folder = places.tasks / identifier
        if _is_under_way(folder):
            name = read_object(folder / "order.json").get("name")
            if isinstance(name, str) and name:
                found[name] = identifier
    return found


def _is_under_way(folder: Path) -> bool:
    state = read_state(folder)["state"]
    if state != "running":
        return state in ("asked", "waiting")
    try:
        with held_file(folder / "lock") as is_free:
            return not is_free
    except OSError:
        return False


class StateFile:
    """Keep a task's state.json as events come in."""

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self._path = folder / "state.json"
        self._wrote_at = 0.0
        self.state: dict[str, Any] = {
            "version": 1,
            **facts,
            "state": "running",
            "phase": "",
            "done": 0,
            "total": 0,
            "bytes": 0,
            "text": "",
            "began_at": now(),
            "ended_at": None,
            "error": None,
            "job_id": os.environ.get("SLURM_JOB_ID"),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "result": None,
        }

    def __call__(self, event: Event) -> None:
        """Note an event."""
        kind = event["event"]
        if kind == "note":
            return
        if kind == "progress":
            self.state |= {key: event[key] for key in ("done", "total", "bytes")}
            if time.monotonic() - self._wrote_at < _EVERY_S:
                return
        elif kind == "phase":
            told = {key: event[key] for key in ("phase", "text", "total")}
            self.state |= told | {"done": 0, "bytes": 0}
        elif kind == "done":
            self.end("done", text=event["text"], result=event["result"])
            return
        elif kind == "failed":
            error = {key: event[key] for key in ("code", "message", "hint")}
            self.end(event["state"], text=event["message"], error=error)
            return
        self.write()

    def end(self, state: str, **told: Any) -> None:
        """Note how it ended."""
        self.state |= {"state": state, "ended_at": now()} | told
        self.write()

    def write(self) -> None:
        """Write the state down; a full disk must not stop what frees it."""
        self._wrote_at = time.monotonic()
        with contextlib.suppress(OSError):
            write_json(self._path, self.state)


def cancelled() -> BootstrapError:
    """Return what a task says that was asked to stop."""
    error = BootstrapError(
        "cancelled",
        "It was stopped before it was finished.",
        "What was there before is untouched; run it again whenever you like.",
    )
    error.state = "cancelled"
    return error
