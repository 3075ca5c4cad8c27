"""Small files of a run: written whole or not at all, read with care."""

import json
import os
import stat
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_LONGEST_VALUE: Final = 200


def write_json(file: Path, told: Mapping[str, Any], *, lasting: bool = False) -> None:
    """Replace a file (0600) in one step: whoever reads it sees the old or the new."""
    write_whole(file, json.dumps(told).encode(), lasting=lasting)


def write_whole(file: Path, raw: bytes, *, lasting: bool = False) -> None:
    """Replace a file in one step; `lasting` waits until the disk has it."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(raw)
            stream.flush()
            if lasting:
                os.fsync(stream.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def first_line(file: Path) -> str:
    """Return the first line of a small file; empty where there is none to read."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = os.open(file, flags)
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return ""
            raw = stream.read(4 * _LONGEST_VALUE)
    except OSError:
        return ""
    lines = raw.decode(errors="replace").lstrip("\ufeff").splitlines()
    shown = "".join(c for c in (lines or [""])[0] if c.isprintable())
    return shown.strip()[:_LONGEST_VALUE]


def count(folder: Path, patience_s: float) -> tuple[int, int] | tuple[None, None]:
    """Return how many files there are below a folder, and their bytes.

    Nothing where that takes longer than one wants to wait.
    """
    files = total = 0
    until = time.monotonic() + patience_s
    for place, _, names in os.walk(folder):
        if time.monotonic() > until:
            return None, None
        for name in names:
            try:
                info = Path(place, name).lstat()
            except OSError:
                continue  # gone meanwhile
            files, total = files + 1, total + info.st_size
    return files, total
