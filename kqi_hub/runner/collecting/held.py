"""Open what lies below a person's `kqi` folder, and nothing that only seems to.

Every step on the way is the person's own and no link; what is opened is looked at
through its descriptor, so that swapping it meanwhile changes nothing.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ_FILE: Final = (
    os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
)
_CHUNK: Final = 64 * 1024


class Unfit(Exception):
    """What lies there is not what a run leaves; the message says why."""


@contextmanager
def folder_below(place: str, names: Sequence[str]) -> Iterator[int]:
    """Hold a folder below `<scratch>/<person>/kqi`; FileNotFoundError, Unfit."""
    person, kqi = os.path.split(place)
    scratch, name = os.path.split(person)
    with ExitStack() as stack:
        folder = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, folder)
        for one in (name, kqi, *names):
            folder = own_folder(folder, one)
            stack.callback(os.close, folder)
        yield folder


def own_folder(above: int, name: str) -> int:
    """Open a folder of the person's in another one; Unfit for anything else."""
    try:
        folder = os.open(name, FOLDER, dir_fd=above)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise Unfit(f"{name} is no folder, or a link") from error
        if isinstance(error, FileNotFoundError):
            raise
        raise Unfit(f"{name}: {error.strerror}") from error
    if os.fstat(folder).st_uid != os.getuid():
        os.close(folder)
        raise Unfit(f"{name} is somebody else's")
    return folder


def names_in(folder: int) -> list[str]:
    """Return what lies in an open folder."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def beginning(folder: int, name: str, most: int) -> bytes:
    """Return the first bytes of a file of the person's; FileNotFoundError, Unfit."""
    try:
        file = os.open(name, READ_FILE, dir_fd=folder)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        why = "is a link" if error.errno == errno.ELOOP else f"{error.strerror}"
        raise Unfit(f"{name}: {why}") from error
    try:
        info = os.fstat(file)
        if not stat.S_ISREG(info.st_mode):
            raise Unfit(f"{name} is no regular file")
        if info.st_uid != os.getuid():
            raise Unfit(f"{name} is somebody else's")
        return _first(file, most)
    finally:
        os.close(file)


def whole(folder: int, name: str, most: int) -> bytes:
    """Return a file of the person's that has at most so many bytes."""
    raw = beginning(folder, name, most + 1)
    if len(raw) > most:
        raise Unfit(f"{name} has more than {most} bytes")
    return raw


def _first(file: int, most: int) -> bytes:
    kept = b""
    while len(kept) < most:
        piece = os.read(file, min(_CHUNK, most - len(kept)))
        if not piece:
            break
        kept += piece
    return kept
