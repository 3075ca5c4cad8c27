"""Which programs listen on a port of this node, and whose they are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

_LISTENS: Final = "0A"
_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


def listeners(port: int, tables: tuple[Path, ...] = _TABLES) -> set[int]:
    """Return the users whose programs listen on a port, at whatever address."""
    found: set[int] = set()
    for table in tables:
        try:
            lines = table.read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue  # a kernel without IPv6 has one of them
        found |= set(_users(lines, port))
    return found


def _users(lines: list[str], port: int) -> Iterator[int]:
    for line in lines:
        words = line.split()
        if len(words) < 8 or words[3] != _LISTENS:
            continue
        if int(words[1].rpartition(":")[2], 16) == port:
            yield int(words[7])
