"""Folders as one file, made while it is sent: zip or tar, no copy on any disk."""

import os
import stat
import tarfile
from collections.abc import Generator, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import Final, Protocol

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.leaving import Leaving
from kqi_hub.agent.files.names import travelling_path
from kqi_hub.agent.files.places import Place, found
from kqi_hub.agent.files.walking import READ_FILE, Missed, Seen, walk
from kqi_hub.agent.files.zipping import Zip

FORMATS: Final = ("zip", "tar")
_PIECE_BYTES: Final = 256 * 1024
_TAR_BLOCK: Final = 512
# The list at a zip's end: of a million files it is 120 MB, which no agent may hold.
_LIST_IN_MEMORY: Final = 4 * 1024 * 1024
_MISSING_NAME: Final = "NOT-INCLUDED.txt"
_MOST_MISSING: Final = 1000


class Format(Protocol):
    """A form of archive: pieces of it, as they come."""

    def folder(self, seen: Seen) -> Iterator[bytes]:
        """Return a folder's entry."""

    def link(self, seen: Seen, target: str) -> Iterator[bytes]:
        """Return a link's entry; nothing is followed."""

    def file(self, seen: Seen, content: Iterator[bytes]) -> Iterator[bytes]:
        """Return a file's entry with its content."""

    def text(self, name: str, content: bytes) -> Iterator[bytes]:
        """Return a file of our own."""

    def end(self) -> Iterator[bytes]:
        """Return what stands at the end."""


def archive(
    places: Sequence[Place], form: str, leaving: Leaving
) -> Generator[bytes, None, None]:
    """Return an archive piece by piece; each step blocks.

    FIFOs, devices and sockets are left out, as is what cannot be read; the archive
    says so in a file of its own.
    """
    with SpooledTemporaryFile(_LIST_IN_MEMORY) as listed:
        made: Format = Zip(listed) if form == "zip" else Tar()
        missing: list[str] = []
        for place in places:
            with found(place.folder if place.names else place) as held:
                name = place.names[-1] if place.names else "."
                for one in walk(held.place, name, leaving):
                    yield from _entry(made, one, missing)
        if missing:
            yield from made.text(_MISSING_NAME, "\n".join([*missing, ""]).encode())
        yield from made.end()


def require_all(places: Sequence[Place]) -> None:
    """Say before anything is sent that something is not there. Blocks."""
    if not places:
        raise Problem(
            400, "invalid-input", "`path` must say at least once what to take."
        )
    for place in places:
        with found(place.folder if place.names else place) as held:
            name = place.names[-1] if place.names else "."
            os.stat(name, dir_fd=held.place, follow_symlinks=False)


def _entry(made: Format, one: Seen | Missed, missing: list[str]) -> Iterator[bytes]:
    path = travelling_path(one.names)
    if isinstance(one, Missed):
        _note(missing, path, one.why)
    elif one.is_folder:
        yield from made.folder(one)
    elif stat.S_ISLNK(one.info.st_mode):
        yield from made.link(one, os.readlink(one.names[-1], dir_fd=one.folder))
    elif not one.is_file:
        _note(missing, path, "a FIFO, device or socket")
    else:
        yield from _content(made, one, missing, path)


def _content(made: Format, one: Seen, missing: list[str], path: str) -> Iterator[bytes]:
    try:
        file = os.open(one.names[-1], READ_FILE, dir_fd=one.folder)
    except OSError as error:
        return _note(missing, path, error.strerror or "unreadable")
    try:
        info = os.fstat(file)
        if not stat.S_ISREG(info.st_mode):
            return _note(missing, path, "replaced while it was being read")
        seen = Seen(one.names, one.folder, info)
        yield from made.file(seen, _pieces(file, info.st_size, missing, path))
    finally:
        os.close(file)


def _pieces(file: int, size: int, missing: list[str], path: str) -> Iterator[bytes]:
    """Return as much as was there when it was opened, or less if it shrinks."""
    position = 0
    while position < size:
        try:
            piece = os.pread(file, min(_PIECE_BYTES, size - position), position)
        except OSError as error:
            return _note(missing, path, f"broken off: {error.strerror}")
        if not piece:
            return _note(missing, path, "became shorter while it was being read")
        position += len(piece)
        yield piece
    return None


def _note(missing: list[str], path: str, why: str) -> None:
    if len(missing) < _MOST_MISSING:
        missing.append(f"{path}: {why}")


class Tar:
    """GNU tar: any bytes are a name, any length is one."""

    def folder(self, seen: Seen) -> Iterator[bytes]:
        """Return a folder's entry."""
        yield _header(seen, tarfile.DIRTYPE)

    def link(self, seen: Seen, target: str) -> Iterator[bytes]:
        """Return a link's entry."""
        yield _header(seen, tarfile.SYMTYPE, target)

    def file(self, seen: Seen, content: Iterator[bytes]) -> Iterator[bytes]:
        """Return a file's entry; one that became shorter is filled up with zeros."""
        size = seen.info.st_size
        yield _header(seen, tarfile.REGTYPE)
        left = size
        for piece in content:
            left -= len(piece)
            yield piece
        while left:
            filling = min(left, _PIECE_BYTES)
            left -= filling
            yield b"\0" * filling
        yield b"\0" * (-size % _TAR_BLOCK)

    def text(self, name: str, content: bytes) -> Iterator[bytes]:
        """Return a file of our own."""
        info = tarfile.TarInfo(name)
        info.size = len(content)
        yield info.tobuf(tarfile.GNU_FORMAT)
        yield content + b"\0" * (-len(content) % _TAR_BLOCK)

    def end(self) -> Iterator[bytes]:
        """Return two empty blocks."""
        yield b"\0" * 2 * _TAR_BLOCK


def _header(seen: Seen, kind: bytes, target: str = "") -> bytes:
    info = tarfile.TarInfo("/".join(seen.names))
    info.type, info.linkname = kind, target
    info.mode = stat.S_IMODE(seen.info.st_mode)
    info.mtime = int(seen.info.st_mtime)
    info.size = seen.info.st_size if kind == tarfile.REGTYPE else 0
    return info.tobuf(tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape")
