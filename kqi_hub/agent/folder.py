"""The person's scratch folder: opened step by step, regular files only, no links."""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path
from typing import Final

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A FIFO must not hold us up at `open`, nor a terminal become ours.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
MOST_ENTRIES: Final = 500


class NotRegular(OSError):
    """It is there and no regular file."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder."""

    name: str
    kind: str
    size: int
    changed_at: float


@dataclass(frozen=True, slots=True)
class Listing:
    """The first entries of a folder by name, and how many it has."""

    entries: tuple[Entry, ...]
    total: int


@contextmanager
def open_folder(root: Path, *names: str) -> Iterator[int]:
    """Open a folder below the root; OSError when a link or a file is in the way."""
    with ExitStack() as stack:
        place = _closing(stack, os.open(root, _FOLDER))
        for name in names:
            place = _closing(stack, os.open(name, _FOLDER, dir_fd=place))
        yield place


@contextmanager
def open_file(root: Path, *names: str) -> Iterator[int]:
    """Open a regular file below the root for reading; never waits for a writer."""
    *folders, name = names
    with open_folder(root, *folders) as folder, ExitStack() as stack:
        file = _closing(stack, os.open(name, _FILE, dir_fd=folder))
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise NotRegular(f"{name} is not a regular file")
        yield file


def _closing(stack: ExitStack, descriptor: int) -> int:
    stack.callback(os.close, descriptor)
    return descriptor


def listing(root: Path, *names: str) -> Listing:
    """List a folder without opening or following anything in it."""
    with open_folder(root, *names) as folder, os.scandir(folder) as found:
        total = 0

        def counted() -> Iterator[os.DirEntry[str]]:
            nonlocal total
            for one in found:
                total += 1
                yield one

        first = nsmallest(MOST_ENTRIES, counted(), key=lambda one: one.name)
        entries = [_entry(one) for one in first]
    return Listing(tuple(one for one in entries if one is not None), total)


def _entry(found: os.DirEntry[str]) -> Entry | None:
    try:
        info = found.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None  # removed while we looked
    name = os.fsencode(found.name).decode(errors="replace")
    return Entry(name, _kind(info.st_mode), info.st_size, info.st_mtime)


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "link" if stat.S_ISLNK(mode) else "other"
