"""Packs: many small whole files in one body.

A pack is a row of [4 bytes, big-endian: length of the header] [header: JSON in UTF-8,
{"path", "size"}] [content]. One that is cut off holds what is whole before the cut.
"""

import json
from collections.abc import Iterator
from typing import Final

from kqi_hub.store.errors import WrongBody

LONGEST_BYTES: Final = 32 * 1024 * 1024
# A path of 1,024 characters of which JSON writes each as \\uXXXX, twice over.
_LONGEST_HEADER: Final = 16 * 1024
_LENGTH: Final = 4


class PackReader:
    """Find the files of a pack as its bytes come."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[str, int] | None = None

    def feed(self, data: bytes | memoryview) -> Iterator[tuple[str, bytes]]:
        """Take bytes and yield each file that is whole now, as path and content."""
        self._buffer += data
        place = 0
        try:
            while (found := self._next(place)) is not None:
                place, file = found
                if file is not None:
                    yield file
        finally:
            del self._buffer[:place]

    @property
    def is_between_files(self) -> bool:
        """Tell whether nothing of a file is waiting for its rest."""
        return not self._buffer and self._head is None

    def _next(self, place: int) -> tuple[int, tuple[str, bytes] | None] | None:
        """Return where the rest begins, and a file unless it was only a header."""
        if self._head is None:
            return self._header(place)
        path, size = self._head
        end = place + size
        if len(self._buffer) < end:
            return None
        self._head = None
        return end, (path, bytes(memoryview(self._buffer)[place:end]))

    def _header(self, place: int) -> tuple[int, None] | None:
        begin = place + _LENGTH
        if len(self._buffer) < begin:
            return None
        length = int.from_bytes(self._buffer[place:begin], "big")
        if not 0 < length <= _LONGEST_HEADER:
            raise WrongBody("A header of the pack is too long, or empty.")
        if len(self._buffer) < begin + length:
            return None
        self._head = _read_head(bytes(self._buffer[begin : begin + length]))
        return begin + length, None


def _read_head(raw: bytes) -> tuple[str, int]:
    try:
        head = json.loads(raw)
        path, size = head["path"], head["size"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise WrongBody(
            "A header of the pack is no JSON with path and size."
        ) from error
    if not isinstance(path, str) or type(size) is not int:
        raise WrongBody("A header of the pack has a path or size of a wrong kind.")
    if not 0 <= size <= LONGEST_BYTES:
        raise WrongBody(f"A file in a pack has at most {LONGEST_BYTES} bytes.")
    return path, size
