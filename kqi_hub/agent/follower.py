"""Follow a log as it grows, however it appears, grows, shrinks or is replaced."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kqi_hub.agent.logfile import Piece, read_piece_of

CHUNK_BYTES: Final = 64 * 1024
# A flood: somebody who is this far behind is led to the end instead.
FAR_BEHIND_BYTES: Final = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the follower's reader is told."""

    name: str
    fields: Mapping[str, Any]


class Follower:
    """Look again and again; each look is bounded. Blocks: call `look` off the loop."""

    def __init__(
        self, root: Path, names: tuple[str, ...], start: int, whose: Mapping[str, Any]
    ) -> None:
        """Follow the log at `names`; `whose` is said while there is none."""
        self._root, self._names, self._whose = root, names, whose
        self.position = start
        self._inode: int | None = None
        self._said_waiting = False
        self.is_behind = False
        # A job's log may always grow once more.
        self.is_over = False

    def look(self) -> tuple[Event, ...]:
        """Return what is new; raises OSError when the log cannot be read."""
        try:
            piece = self._read()
        except FileNotFoundError:
            return self._waiting()
        events: list[Event] = []
        if self._is_another(piece):
            events.append(Event("restarted", {}))
            self.position = 0
            piece = self._read()
        if self._inode is not None and piece.size - piece.start > FAR_BEHIND_BYTES:
            gap_from, self.position = piece.start, -CHUNK_BYTES
            piece = self._read()
            events.append(Event("skipped", {"from": gap_from, "to": piece.start}))
        self._inode = piece.inode
        if piece.end > piece.start:
            events.append(_log_event(piece))
        self.position = piece.end
        self.is_behind = piece.end - piece.start > CHUNK_BYTES // 2
        return tuple(events)

    def _read(self) -> Piece:
        return read_piece_of(self._root, self._names, self.position, CHUNK_BYTES)

    def _waiting(self) -> tuple[Event, ...]:
        self.is_behind = False
        self._inode = None if self._inode is None else -1
        if self._said_waiting:
            return ()
        self._said_waiting = True
        return (Event("waiting", self._whose),)

    def _is_another(self, piece: Piece) -> bool:
        if self._inode is None:
            return False
        return piece.inode != self._inode or piece.size < self.position


def _log_event(piece: Piece) -> Event:
    where = {"from": piece.start, "to": piece.end, "size": piece.size}
    return Event("log", {**where, "text": piece.text})
