"""Give a finished folder its name in one step that cannot be half done."""

import contextlib
import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

_AT_FDCWD: Final = -100
_NOREPLACE: Final = 1
_EXCHANGE: Final = 2
# What file systems and old kernels answer that do not know the flag.
_UNKNOWN: Final = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


def exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the file system cannot."""
    return _rename(one, other, _EXCHANGE)


def place(stage: Path, final: Path) -> None:
    """Rename a folder to a name that must be free; FileExistsError when it is not."""
    if _rename(stage, final, _NOREPLACE):
        return
    # rename() would replace an empty folder without a word.
    if os.path.lexists(final):
        raise FileExistsError(errno.EEXIST, "the name is taken", str(final))
    stage.rename(final)


def flush(folder: Path) -> None:
    """Have everything on the folder's file system written down.

    Without it a node that dies after the rename could leave the name with files that
    are empty.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        function = _function("syncfs")
        if function is None or function(handle) != 0:
            os.sync()
    finally:
        os.close(handle)


def flush_names(folder: Path) -> None:
    """Have a folder's own entries written down, where the file system lets us."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _rename(one: Path, other: Path, flag: int) -> bool:
    function = _function("renameat2")
    if function is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    if function(_AT_FDCWD, names[0], _AT_FDCWD, names[1], flag) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNKNOWN:
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))


def _function(name: str) -> Callable[..., int] | None:
    """Return a function of the C library; an old one has no renameat2."""
    found: Callable[..., int] | None
    found = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    return found
