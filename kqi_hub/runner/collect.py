"""Look after folders of a person's runs, as that person, on the hub's machine.

The privileged door runs this program. Its order is one object of JSON on standard
input, its answer one line of JSON. Standard library only.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

from kqi_hub.runner.collecting.offering import offered
from kqi_hub.runner.collecting.reading import collected
from kqi_hub.runner.collecting.removing import TimeIsUp, removed

_VERSION: Final = 1
# The door waits 45 seconds by default.
_PATIENCE_S: Final = 25.0
_MOST_BYTES: Final = 256 * 1024 - 4096
_LONGEST_ORDER: Final = 1024 * 1024
# Folders of millions of files are listed whole: not at the cost of everybody's portal.
_MOST_MEMORY: Final = 1024 * 1024 * 1024

Answer = dict[str, Any]


def collect(order: Answer, until: float) -> Answer:
    """Read what runs have left; those that do not fit are left for another call."""
    runs: Answer = {}
    left = list(order["folders"])
    size = sum(len(folder) + 8 for folder in left)
    while left:
        one = collected(order["place"], left[0], until)
        size += len(_line({left[0]: one}))
        if runs and size > _MOST_BYTES:
            break
        runs[left.pop(0)] = one
        if time.monotonic() > until:
            break
    return {"runs": runs, "left": left}


def remove(order: Answer, until: float) -> Answer:
    """Remove folders of runs."""
    done: list[str] = []
    kept: dict[str, str] = {}
    left = list(order["folders"])
    while left:
        try:
            why = removed(order["place"], left[0], until)
        except TimeIsUp:
            break
        folder = left.pop(0)
        if why:
            kept[folder] = why
        else:
            done.append(folder)
    return {"removed": done, "kept": kept, "left": left}


def offer(order: Answer, until: float, store: str) -> Answer:
    """Hand a folder of an output to the store."""
    if not store:
        raise ValueError("this site's collect_command names no --store")
    return asdict(offered(order["place"], order, store, until))


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the order on standard input: `collect [--store SOCKET]`."""
    store = _store(sys.argv[1:] if arguments is None else arguments)
    deeds: dict[str, Callable[[Answer, float], Answer]] = {
        "collect": collect,
        "remove": remove,
        "offer": lambda order, until: offer(order, until, store),
    }
    _be_frugal()
    try:
        order = json.loads(sys.stdin.buffer.read(_LONGEST_ORDER))
        answer = deeds[order["deed"]](order, time.monotonic() + _PATIENCE_S)
    except (OSError, ValueError, KeyError, TypeError, MemoryError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    raw = _line({"version": _VERSION, **answer}) + b"\n"
    while raw:
        raw = raw[os.write(1, raw) :]
    return 0


def _store(given: Sequence[str]) -> str:
    match list(given):
        case []:
            return ""
        case ["--store", address]:
            return address
    sys.exit(f"collect: expected nothing or --store SOCKET, got {list(given)!a}")


def _be_frugal() -> None:
    """Live with bounded memory, whatever somebody has put into a folder."""
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    bounded = most != resource.RLIM_INFINITY
    allowed = min(_MOST_MEMORY, most) if bounded else _MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (allowed, most))


def _line(said: Answer) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode()


if __name__ == "__main__":
    sys.exit(main())
