"""The folders of tasks on scratch: made and read without following anything.

kqi/environments/<task id>/   order.json  what is to be done (written once)
sent.json   how it was started (the agent's)
state.json  how far it is (`conda_bootstrap task`)
log         what it said
"""

import json
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from heapq import nlargest
from pathlib import Path
from typing import Any, Final

from kqi_hub.agent.folder import open_file, open_folder

_PLACE: Final = ("kqi", "environments")
_LOG: Final = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | os.O_NOFOLLOW
    | os.O_NONBLOCK
    | os.O_CLOEXEC
)
_ID: Final = re.compile(r"[0-9]{8}T[0-9]{6}-[a-z2-7]{8}", re.ASCII)
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# A state says little; a huge file in its place is not read whole.
_MOST_BYTES: Final = 256 * 1024
MOST_LISTED: Final = 50


def is_task_id(text: str) -> bool:
    """Tell whether this is the name of a task's folder."""
    return _ID.fullmatch(text) is not None


def key_of(task_id: str) -> str:
    """Return the part that the job's name ends in."""
    return task_id.rpartition("-")[2]


def log_names(task_id: str) -> tuple[str, ...]:
    """Return where a task's log lies below the person's folder."""
    return (*_PLACE, task_id, "log")


def task_path(root: Path, task_id: str) -> Path:
    """Return a task's folder as programs are told it."""
    return root.joinpath(*_PLACE, task_id)


def make_task(root: Path, order: Mapping[str, object], sent: Mapping[str, Any]) -> str:
    """Make a task's folder with its order; nobody else may look into it. Blocks."""
    begun = time.strftime("%Y%m%dT%H%M%S", time.gmtime(sent["asked_at"]))
    task_id = f"{begun}-{''.join(secrets.choice(_LETTERS) for _ in range(8))}"
    with open_folder(root) as top:
        _make(top, _PLACE[0])
    with open_folder(root, _PLACE[0]) as middle:
        _make(middle, _PLACE[1])
    with open_folder(root, *_PLACE) as place:
        os.mkdir(task_id, 0o700, dir_fd=place)
    with _opened(root, task_id) as folder:
        _write(folder, "order.json", order)
        _write(folder, "sent.json", sent)
    return task_id


def change_sent(root: Path, task_id: str, **changes: object) -> None:
    """Change what is known of a task's start, in one step. Blocks."""
    known = read_json(root, task_id, "sent.json") or {}
    fresh = f"sent.json.{secrets.token_hex(4)}"
    with _opened(root, task_id) as folder:
        _write(folder, fresh, {**known, **changes})
        os.replace(fresh, "sent.json", src_dir_fd=folder, dst_dir_fd=folder)


def end_unbegun(root: Path, task_id: str, state: str, error: object = None) -> None:
    """Write the end of a task that nobody began, so that nobody will. Blocks."""
    said = {"version": 1, "state": state, "error": error, "ended_at": time.time()}
    try:
        with _opened(root, task_id) as folder:
            _write(folder, "state.json", said)
    except FileExistsError:
        return  # it was begun, and says itself how it ends


def open_log(root: Path, task_id: str) -> int:
    """Open the log for what a child says. Blocks."""
    with _opened(root, task_id) as folder:
        return os.open("log", _LOG, 0o600, dir_fd=folder)


def read_json(root: Path, task_id: str, name: str) -> dict[str, Any] | None:
    """Return an object of a task's; None while there is none that can be read."""
    try:
        with open_file(root, *_PLACE, task_id, name) as file:
            said = json.loads(os.pread(file, _MOST_BYTES, 0))
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def task_ids(root: Path) -> tuple[str, ...]:
    """Return the newest tasks, newest first. Blocks."""
    try:
        with open_folder(root, *_PLACE) as place, os.scandir(place) as found:
            names = (one.name for one in found if is_task_id(one.name))
            return tuple(nlargest(MOST_LISTED, names))
    except FileNotFoundError:
        return ()


def is_there(root: Path, task_id: str) -> bool:
    """Tell whether a task has a folder of the person's own. Blocks."""
    try:
        with _opened(root, task_id) as folder:
            return stat.S_ISDIR(os.fstat(folder).st_mode)
    except FileNotFoundError:
        return False


@contextmanager
def _opened(root: Path, task_id: str) -> Iterator[int]:
    with open_folder(root, *_PLACE, task_id) as folder:
        yield folder


def _make(place: int, name: str) -> None:
    try:
        os.mkdir(name, 0o700, dir_fd=place)
    except FileExistsError:
        return  # whatever it is: the next step opens folders only, and no link


def _write(folder: int, name: str, said: Mapping[str, object]) -> None:
    with os.fdopen(os.open(name, _NEW, 0o600, dir_fd=folder), "wb") as file:
        file.write(json.dumps(said).encode())
        file.flush()
        os.fsync(file.fileno())
