"""The SQLite file itself: made for us alone, and refused when others may open it."""

import errno
import os
import shutil
import stat
from pathlib import Path
from typing import Final

from kqi_hub.domain.errors import DatabaseNotReady

# 32 KiB of shared memory, a page of the log.
_LEAST_ROOM_BYTES: Final = 64 * 1024


def is_full(path: Path) -> bool:
    """Tell whether the file's disk has no room for SQLite's smallest steps."""
    try:
        return shutil.disk_usage(path.parent).free < _LEAST_ROOM_BYTES
    except OSError:
        return False


def prepare_file(path: Path, create: bool) -> None:
    """Make sure that the file is there, ours, and closed to others.

    A file that is there is never opened here: SQLite's locks are POSIX locks, and
    closing any handle of the file would take them from this process's connections.
    SQLite gives its -wal and -shm files the mode of the file itself, so a file made
    with 0600 keeps all three private whatever the umask is.
    """
    try:
        _judge(path, path.lstat())
    except FileNotFoundError as error:
        if not create or not path.parent.is_dir():
            raise DatabaseNotReady(
                f"There is no database file {path}.",
                f"Run: kqi-hub db upgrade (the folder {path.parent} must exist).",
            ) from error
        _create(path)
    except OSError as error:
        raise _cannot_be_opened(path, error.strerror or str(error)) from error


def _create(path: Path) -> None:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_CREAT | os.O_EXCL
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        _judge(path, path.lstat())  # another process was quicker
        return
    except OSError as error:
        raise _cannot_be_opened(path, error.strerror or str(error)) from error
    try:
        if os.geteuid() == 0:
            # `sudo kqi-hub db upgrade` must not leave a file that the service cannot
            # open; SQLite does the same for its -wal and -shm files.
            folder = path.parent.stat()
            os.fchown(descriptor, folder.st_uid, folder.st_gid)
    finally:
        os.close(descriptor)


def _judge(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _cannot_be_opened(path, "it is not a regular file")
    if not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
        raise _cannot_be_opened(path, os.strerror(errno.EACCES))
    if status.st_mode & stat.S_IRWXO:
        raise DatabaseNotReady(
            f"Anybody may open the database file {path} "
            f"(mode {stat.S_IMODE(status.st_mode):04o}).",
            f"Run: chmod 0600 {path}*",
        )


def _cannot_be_opened(path: Path, why: str) -> DatabaseNotReady:
    return DatabaseNotReady(
        f"The database file {path} cannot be opened: {why}.",
        "Run as the service user; the path must be a regular file, no link.",
    )
