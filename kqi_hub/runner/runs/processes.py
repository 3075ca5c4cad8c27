"""The processes of a run's command: everything that descends from this one."""

import contextlib
import os
import signal
from collections.abc import Collection
from pathlib import Path


def descendants(of: int, *, with_zombies: bool = False) -> set[int]:
    """Return every living process below one, however far; zombies are none."""
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            parent = _parent(int(entry.name), with_zombies)
            if parent is not None:
                children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    line = [of]
    while line:
        some = children.get(line.pop(), [])
        found.update(some)
        line.extend(some)
    return found


def send(pids: Collection[int], number: int) -> None:
    """Send a signal to each that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def catching(pids: Collection[int], number: signal.Signals) -> set[int]:
    """Return those that have a handler of their own for a signal."""
    return {pid for pid in pids if _caught(pid) >> (number - 1) & 1}


def _parent(pid: int, with_zombies: bool) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The name, in brackets, may have anything in it.
    state, parent, *_ = text[text.rindex(b")") + 1 :].split()
    return None if state == b"Z" and not with_zombies else int(parent)


def _caught(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith(b"SigCgt:"):
            return int(line.split()[1], 16)
    return 0
