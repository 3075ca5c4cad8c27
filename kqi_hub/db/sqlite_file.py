"""The SQLite file itself: made for us alone, and refused when others may open it."""

import os
import stat
from pathlib import Path
from typing import Final

from kqi_hub.domain.errors import DatabaseNotReady

_FLAGS: Final = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def prepare_file(path: Path, create: bool) -> None:
    """Make sure that the file is there, ours, and closed to others.

    SQLite gives its -wal and -shm files the mode of the file itself, so a file made
    with 0600 keeps all three private whatever the umask is.
    """
    try:
        descriptor = _open(path, create)
    except FileNotFoundError as error:
        raise DatabaseNotReady(
            f"There is no database file {path}.",
            f"Run: kqi-hub db upgrade (the folder {path.parent} must exist).",
        ) from error
    except OSError as error:
        raise DatabaseNotReady(
            f"The database file {path} cannot be opened: {error.strerror}.",
            "Run as the service user; the path must be a regular file, no link.",
        ) from error
    try:
        _judge(path, os.fstat(descriptor))
    finally:
        os.close(descriptor)


def _open(path: Path, create: bool) -> int:
    try:
        return os.open(path, _FLAGS)
    except FileNotFoundError:
        if not create:
            raise
    try:
        descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, _FLAGS)  # another process was quicker
    if os.geteuid() == 0:
        # `sudo kqi-hub db upgrade` must not leave a file that the service cannot
        # open; SQLite does the same for its -wal and -shm files.
        folder = path.parent.stat()
        os.fchown(descriptor, folder.st_uid, folder.st_gid)
    return descriptor


def _judge(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise DatabaseNotReady(f"The database file {path} is not a regular file.")
    if status.st_mode & stat.S_IRWXO:
        raise DatabaseNotReady(
            f"Anybody may open the database file {path} "
            f"(mode {stat.S_IMODE(status.st_mode):04o}).",
            f"Run: chmod 0600 {path}*",
        )
