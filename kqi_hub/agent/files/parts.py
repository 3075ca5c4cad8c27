"""Files on their way in: `.name….kqi-part` beside where they will be."""

import errno
import hashlib
import os
import stat
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.changing import changing, like_folder, make_parents
from kqi_hub.agent.files.names import travelling
from kqi_hub.agent.files.places import Place, version_of
from kqi_hub.agent.files.renaming import is_there, rename_beside, rename_new

REFUSE: Final = "refuse"
OVERWRITE: Final = "overwrite"
KEEP_BOTH: Final = "keep-both"
CHOICES: Final = (REFUSE, OVERWRITE, KEEP_BOTH)
_ENDING: Final = ".kqi-part"
# What is smaller is sent again in a moment; ten thousand flushes take minutes.
_FLUSHED_BYTES: Final = 1024 * 1024
_WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What somebody wants to send; `mark` tells it from another of the same name."""

    size: int
    offset: int
    mark: str
    exists: str
    parents: bool


class Part:
    """A file that is being received. Every method blocks."""

    def __init__(self, place: Place, announced: Announced) -> None:
        """Go on where an earlier attempt ended; Problem `offset` says where that is."""
        self.place = place
        self._announced = announced
        if announced.parents:
            make_parents(place.folder)
        with ExitStack() as stack:
            held = stack.enter_context(changing(place.folder))
            self._folder = os.dup(held)
            stack.callback(os.close, self._folder)
            self._refuse_taken()
            self._name = part_name(place.names[-1], announced)
            self._file = os.open(self._name, _WRITE, 0o600, dir_fd=self._folder)
            stack.callback(os.close, self._file)
            self._refuse_odd(os.fstat(self._file))
            info = os.fstat(self._file)
            self.key = (info.st_dev, info.st_ino)
            self._kept = stack.pop_all()
        self.position = announced.offset

    @property
    def size(self) -> int:
        """Return how long the file will be."""
        return self._announced.size

    def write(self, piece: bytes | bytearray) -> None:
        """Append; what a full disk still took stays."""
        left = memoryview(piece)
        while left:
            count = os.pwrite(self._file, left, self.position)
            self.position += count
            left = left[count:]

    def finish(self) -> tuple[str, str]:
        """Give it its name; return that and its version."""
        os.fchmod(self._file, like_folder(os.fstat(self._folder)) & 0o666)
        if self.size > _FLUSHED_BYTES:
            os.fsync(self._file)
        wanted = self.place.names[-1]
        name = self._named(wanted)
        return name, version_of(os.stat(name, dir_fd=self._folder))

    def close(self) -> None:
        """Let go of it; what is received stays for the next attempt."""
        self._kept.close()

    def _named(self, wanted: str) -> str:
        own, folder = self._name, self._folder
        if self._announced.exists == KEEP_BOTH:
            return rename_beside(folder, own, folder, wanted)
        if self._announced.exists == OVERWRITE:
            os.rename(own, wanted, src_dir_fd=folder, dst_dir_fd=folder)
            return wanted
        try:
            rename_new(folder, own, folder, wanted)
        except FileExistsError:
            raise _taken(wanted) from None
        return wanted

    def _refuse_taken(self) -> None:
        name = self.place.names[-1]
        if self._announced.exists == KEEP_BOTH or not is_there(self._folder, name):
            return
        if self._announced.exists == REFUSE:
            raise _taken(name)
        info = os.stat(name, dir_fd=self._folder, follow_symlinks=False)
        if stat.S_ISDIR(info.st_mode):
            raise Problem(409, "is-folder", "A folder has this name.")

    def _refuse_odd(self, info: os.stat_result) -> None:
        if not stat.S_ISREG(info.st_mode) or info.st_nlink != 1:
            raise OSError(errno.ELOOP, "the part is no file of its own")
        if info.st_size != self._announced.offset:
            raise Problem(
                409, "offset", f"{info.st_size} bytes are here: go on from there.",
                offset=info.st_size,
            )  # fmt: skip
        room = os.fstatvfs(self._file)
        if self._announced.size - info.st_size > room.f_bavail * room.f_frsize:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def part_name(name: str, announced: Announced) -> str:
    """Return what a file is called while it is not complete."""
    raw = os.fsencode(name)
    mark = hashlib.sha256(
        b"%s\0%d\0%s" % (raw, announced.size, announced.mark.encode())
    ).hexdigest()[:16]
    short = os.fsdecode(raw[: 255 - len(mark) - len(_ENDING) - 2])
    return f".{short}.{mark}{_ENDING}"


def _taken(name: str) -> Problem:
    return Problem(
        409, "exists",
        f"{travelling(name)!a} is there already: overwrite it, keep both, or leave it.",
    )  # fmt: skip
