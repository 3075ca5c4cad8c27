"""Small files that are replaced whole, so that a reader never sees half of one."""

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Any, Final

LONGEST_BYTES: Final = 4 << 20


def write_text(path: Path, text: str) -> None:
    """Write a file beside and rename it into place."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("x", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def write_json(path: Path, value: object) -> None:
    """Write JSON in one go."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def read_text(path: Path, longest: int = LONGEST_BYTES) -> str:
    """Return a regular file's text; ValueError when it is longer than is sensible.

    A FIFO with this name would hang a plain open for ever, so none is waited for.
    """
    opener = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(opener, "rb") as stream:
        data = stream.read(longest + 1) or b""
    if len(data) > longest:
        raise ValueError(f"{path} is longer than {longest} bytes")
    return data.decode("utf-8")


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object of a file; empty when there is none that can be read."""
    try:
        value = json.loads(read_text(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
