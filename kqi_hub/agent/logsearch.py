"""Find a text in a job's log, a bounded piece of work at a time."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kqi_hub.agent.folder import open_file
from kqi_hub.agent.logfile import log_path

LONGEST_TEXT: Final = 200
MOST_FOUND: Final = 200
_PIECE: Final = 4 * 1024 * 1024
# One question reads no longer; the next goes on where it ended.
_WORK_S: Final = 1.0
# So much of a line is shown on each side.
_BEFORE, _AFTER = 80, 160


@dataclass(frozen=True, slots=True)
class Match:
    """Where a text is, and what its line looks like there."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """What was found from an offset on; `next` is where to go on."""

    matches: tuple[Match, ...]
    next: int
    size: int
    is_over: bool


def search_log(root: Path, job: str, text: str, start: int, is_exact: bool) -> Found:
    """Search from an offset on, whatever the case of letters if not exact. Blocks."""
    flags = re.NOFLAG if is_exact else re.IGNORECASE
    needle = re.compile(re.escape(text).encode(), flags)
    overlap = max(0, len(text.encode()) - 1)
    until = time.monotonic() + _WORK_S
    matches: list[Match] = []
    with open_file(root, *log_path(job)) as file:
        size = os.fstat(file).st_size
        position = max(0, min(start, size))
        while position < size:
            raw = os.pread(file, _PIECE, position)
            if not raw:
                break
            for found in needle.finditer(raw):
                matches.append(_match(file, position + found.start()))
                if len(matches) == MOST_FOUND:
                    after = position + found.start() + 1
                    return Found(tuple(matches), after, size, after >= size)
            is_last = position + len(raw) >= size
            position += len(raw) - (0 if is_last else overlap)
            if time.monotonic() > until:
                break
    return Found(tuple(matches), position, size, position >= size)


def _match(file: int, at: int) -> Match:
    begin = max(0, at - _BEFORE)
    raw = os.pread(file, at - begin + _AFTER, begin)
    before, after = raw[: at - begin], raw[at - begin :]
    line = before.rpartition(b"\n")[2] + after.partition(b"\n")[0]
    return Match(at, line.decode(errors="replace").rpartition("\r")[2] or "")
