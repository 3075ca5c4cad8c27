"""Files that people give the store by reference: as descriptors that they opened.

The kernel decided what they may open. The person's own inode never becomes part of the
store: who owns a file may write it. Its content is cloned where the file system can
(no byte is copied), and copied where it cannot.
"""

import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.tickets import Ticket
from kqi_hub.store.errors import WrongBody
from kqi_hub.store.upload import Upload

MOST_AT_ONCE: Final = 200
# Up to here a file is read at once and kept as those of a pack are.
_SMALL: Final = 1024 * 1024
_CHUNK: Final = 1024 * 1024


@dataclass(slots=True)
class Taken:
    """What became of the files of an offer."""

    files: int = 0
    bytes: int = 0
    reflink: int = 0
    copy: int = 0

    def told(self) -> dict[str, object]:
        """Return it as the answer."""
        how = {"reflink": self.reflink, "copy": self.copy}
        return {"taken": self.files, "bytes": self.bytes, "how": how}


def take(
    upload: Upload, ticket: Ticket, paths: Sequence[str], descriptors: Sequence[int]
) -> Taken:
    """Take the contents of open files under these paths."""
    if len(paths) != len(descriptors) or not 0 < len(paths) <= MOST_AT_ONCE:
        raise WrongBody(f"Send 1 to {MOST_AT_ONCE} paths, and an open file with each.")
    taken = Taken()
    small: list[tuple[str, bytes]] = []
    waiting = 0
    for path, file in zip(paths, descriptors, strict=True):
        size = _size(path, file)
        taken.files, taken.bytes = taken.files + 1, taken.bytes + size
        if size > _SMALL:
            _take_large(upload, ticket, path, file, taken)
            continue
        small.append((path, os.pread(file, size, 0)))
        taken.copy += 1
        waiting += size
        if waiting > 16 * _SMALL:
            upload.put(ticket, small)
            small, waiting = [], 0
    upload.put(ticket, small)
    return taken


def _size(path: str, file: int) -> int:
    """Return a file's size, if it is one and was opened for reading."""
    seen, flags = os.fstat(file), fcntl.fcntl(file, fcntl.F_GETFL)
    readable = flags & os.O_ACCMODE in (os.O_RDONLY, os.O_RDWR)
    if not stat.S_ISREG(seen.st_mode) or not readable or flags & os.O_PATH:
        raise WrongBody(
            f"{path!r} is no regular file, or it was not opened for reading.",
            more={"path": path},
        )
    return seen.st_size


def _take_large(
    upload: Upload, ticket: Ticket, path: str, file: int, taken: Taken
) -> None:
    sender, size = object(), os.fstat(file).st_size
    part = upload.begin(ticket, path, size, None, sender)
    if isinstance(part, str):
        taken.copy += 1
        return
    try:
        if part.clone(sender, file):
            taken.reflink += 1
        else:
            for piece in _pieces(path, file, size):
                part.write(sender, piece)
            taken.copy += 1
        upload.finish(path, part, sender)
    finally:
        part.leave(sender)


def _pieces(path: str, file: int, size: int) -> Iterator[bytes]:
    offset = 0
    while offset < size:
        piece = os.pread(file, min(_CHUNK, size - offset), offset)
        if not piece:
            raise WrongBody(
                f"{path!r} became shorter while it was read.", more={"path": path}
            )
        yield piece
        offset += len(piece)
