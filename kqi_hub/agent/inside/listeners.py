"""Which programs listen on a port of this node, where, and whose they are."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LISTENS: Final = "0A"
_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared only


@dataclass(frozen=True, slots=True)
class Listener:
    """A program that listens: the address that reaches it, and its user."""

    address: str
    uid: int


def listeners(port: int, tables: tuple[Path, ...] = _TABLES) -> tuple[Listener, ...]:
    """Return what listens on a port, at whatever address."""
    found: list[Listener] = []
    for table in tables:
        try:
            lines = table.read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue  # a kernel without IPv6 has one of them
        found += _of(lines, port)
    return tuple(found)


def _of(lines: list[str], port: int) -> Iterator[Listener]:
    for line in lines:
        words = line.split()
        if len(words) < 8 or words[3] != _LISTENS:
            continue
        address, _, number = words[1].rpartition(":")
        if int(number, 16) == port:
            shown = _address(address)
            yield Listener(_ANYWHERE.get(shown, shown), int(words[7]))


def _address(text: str) -> str:
    """Read an address of the kernel's tables: words of 32 bits, in the host's order."""
    words = [text[at : at + 8] for at in range(0, len(text), 8)]
    raw = b"".join(int(word, 16).to_bytes(4, "little") for word in words)
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)
