"""Bring bytes to the disk: early and unasked, or all of them before an answer."""

import ctypes
import os
from pathlib import Path
from typing import Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_LIBC.sync_file_range.argtypes = (
    ctypes.c_int,
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.c_uint,
)
_START_WRITING: Final = 2  # SYNC_FILE_RANGE_WRITE


def begin_writing(descriptor: int, offset: int, length: int) -> None:
    """Have the kernel begin to write a range; what it says to that does not matter.

    Bytes that are on their way early make the flush before an answer short.
    """
    _LIBC.sync_file_range(descriptor, offset, length, _START_WRITING)


def flush_file_system(path: Path) -> None:
    """Return when everything on the file system of this path is on the disk.

    One call for any number of files: an fsync for each would take minutes.
    """
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _LIBC.syncfs(folder) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(folder)


def flush_folder(path: Path) -> None:
    """Return when the names in a folder are on the disk."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
