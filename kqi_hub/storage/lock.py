"""A lock that dies with its holder: one process of a kind on this machine."""

import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import Final

from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.full_disk import NoRoom
from kqi_hub.domain.phrase import Phrase

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class LockFileUnusable(KqiError):
    """The lock file cannot be opened."""

    code = "lock-file"


class FileLock:
    """Hold an exclusive lock on a file; the kernel drops it when the process dies.

    Nothing has to be cleaned up after kill -9, no clock and no heartbeat is involved,
    and programs that the holder starts do not inherit it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock if nobody holds it, and tell whether it is ours.

        LockFileUnusable; NoRoom when the disk is full.
        """
        if self._descriptor is None:
            descriptor = self._open(os.O_RDWR | os.O_CREAT)
            if not _lock(descriptor, fcntl.LOCK_EX):
                os.close(descriptor)
                return False
            self._descriptor = descriptor
            self._write_pid()
        return True

    def drop(self) -> None:
        """Let the next process have the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> int | None:
        """Return the holder's process id, 0 if unknown, None if nobody holds it."""
        try:
            descriptor = self._open(os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            if _lock(descriptor, fcntl.LOCK_SH):
                return None
            text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            return int(text) if text.isdecimal() else 0
        finally:
            os.close(descriptor)

    def _open(self, flags: int) -> int:
        try:
            descriptor = os.open(
                self._path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600
            )
        except FileNotFoundError:
            if flags & os.O_CREAT:
                raise self._unusable(Phrase("its folder does not exist")) from None
            raise
        except OSError as error:
            if error.errno in _FULL:
                raise NoRoom(
                    "The lock file {path} cannot be made: the disk is full.",
                    "Make room there. It is tried again by itself.",
                    path=self._path,
                ) from error
            raise self._unusable(error.strerror or str(error)) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise self._unusable(Phrase("it is not a regular file"))
        return descriptor

    def _unusable(self, why: str | Phrase) -> LockFileUnusable:
        return LockFileUnusable(
            "The lock file {path} cannot be used: {why}.",
            "Give the service user a folder of its own (site.state_dir, mode 0700).",
            path=self._path,
            why=why,
        )

    def _write_pid(self) -> None:
        """Write who holds it, for people; on a full disk they are not told."""
        if self._descriptor is None:
            return
        os.ftruncate(self._descriptor, 0)
        try:
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            if error.errno not in _FULL:
                raise


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
