"""How far a task is: what its own process wrote, and what is known of its start."""

import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from kqi_hub.agent.processes import Child
from kqi_hub.agent.task_folder import is_there, read_json, task_ids

FINAL: Final = frozenset({"done", "failed", "refused", "cancelled"})
_LIVE: Final = frozenset({"asked", "waiting", "running"})
_LONGEST: Final = 4000
LOST: Final = {
    "code": "lost",
    "message": "It ended without a word: its job or process is gone.",
    "hint": "Nothing is half made. Order it again.",
}
_TEXTS: Final = ("phase", "text", "host")
_NUMBERS: Final = ("done", "total", "bytes")
_TIMES: Final = ("began_at", "ended_at")
_ERROR: Final = ("code", "message", "hint")


def task_view(root: Path, task_id: str) -> dict[str, Any] | None:
    """Return a task as the agent answers it; None if there is none. Blocks."""
    if not is_there(root, task_id):
        return None
    sent = read_json(root, task_id, "sent.json") or {}
    told = read_json(root, task_id, "state.json") or {}
    return view(task_id, sent, told)


def task_list(root: Path) -> list[dict[str, Any]]:
    """Return the newest tasks, newest first. Blocks."""
    found = []
    for task_id in task_ids(root):
        try:
            one = task_view(root, task_id)
        except OSError:
            continue  # something else lies in its place
        if one is not None:
            found.append(one)
    return found


def view(
    task_id: str, sent: Mapping[str, Any], told: Mapping[str, Any]
) -> dict[str, Any]:
    """Put both accounts together; neither is trusted to have the right types."""
    state, error = _state(sent, told)
    found: dict[str, Any] = {
        "id": task_id,
        "operation": _text(sent.get("operation")),
        "name": _text(sent.get("name")),
        "state": state,
        "error": _error(error),
        "run_on": _text(sent.get("run_on")),
        "queue": _text(sent.get("queue")),
        "tenant": _text(sent.get("tenant")),
        "asked_at": _number(sent.get("asked_at")),
        "job_id": _number(sent.get("job_id")) or _job(told.get("job_id")),
        "result": told.get("result") if isinstance(told.get("result"), dict) else None,
    }
    found |= {name: _text(told.get(name)) for name in _TEXTS}
    found |= {name: _number(told.get(name)) for name in _NUMBERS}
    found |= {name: _moment(told.get(name)) for name in _TIMES}
    found["text"] = found["text"] or _text(sent.get("note"))
    return found


def child_of(sent: Mapping[str, Any]) -> Child | None:
    """Return the process on this machine that works on it."""
    pid, began = sent.get("pid"), sent.get("began")
    if type(pid) is int and type(began) is int and pid > 1:
        return Child(pid, began)
    return None


def is_live(found: Mapping[str, Any]) -> bool:
    """Tell whether a task has still to end."""
    return found["state"] in _LIVE


def _state(sent: Mapping[str, Any], told: Mapping[str, Any]) -> tuple[str, object]:
    state = told.get("state")
    if state in FINAL:
        return str(state), told.get("error")
    if sent.get("error"):
        return "refused", sent["error"]
    child = child_of(sent)
    is_lost = bool(sent.get("lost_at"))
    if child is not None:
        if child.is_alive():
            return "running", None
        is_lost = True
    if sent.get("cancelled_at"):
        return "cancelled", None
    return ("failed", LOST) if is_lost else (_under_way(sent, state), None)


def _under_way(sent: Mapping[str, Any], state: object) -> str:
    if state == "running":
        return "running"
    return "waiting" if sent.get("job_id") else "asked"


def _error(found: object) -> dict[str, str] | None:
    if not isinstance(found, dict):
        return None
    return {name: _text(found.get(name)) for name in _ERROR}


def _text(found: object) -> str:
    return found[:_LONGEST] if isinstance(found, str) else ""


def _job(found: object) -> int | None:
    """Return the job that it runs in by its own account: an answer may get lost."""
    is_number = isinstance(found, str) and found.isascii() and found.isdigit()
    return int(str(found)[:10]) if is_number else None


def _moment(found: object) -> int | float | None:
    """Return a time in seconds since 1970, also when it is written as a date."""
    if isinstance(found, str):
        try:
            return datetime.fromisoformat(found).timestamp()
        except (ValueError, OverflowError):
            return None
    return _number(found)


def _number(found: object) -> int | float | None:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return found if math.isfinite(found) else None
