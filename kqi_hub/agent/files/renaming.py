"""Rename so that nothing is ever overwritten unasked."""

import ctypes
import errno
import os
import stat
from typing import Final

_NO_REPLACE: Final = 1
# What file systems and kernels answer that cannot do it in one step.
_CANNOT: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def rename_new(source_folder: int, source: str, folder: int, name: str) -> None:
    """Rename; FileExistsError if the new name is taken. Blocks."""
    failed = _LIBC.renameat2(
        source_folder, os.fsencode(source), folder, os.fsencode(name), _NO_REPLACE
    )
    if not failed:
        return
    number = ctypes.get_errno()
    if number not in _CANNOT:
        raise OSError(number, os.strerror(number), name)
    _in_two_steps(source_folder, source, folder, name)


def _in_two_steps(source_folder: int, source: str, folder: int, name: str) -> None:
    info = os.stat(source, dir_fd=source_folder, follow_symlinks=False)
    if stat.S_ISDIR(info.st_mode):
        # An empty folder that somebody makes in this moment would be replaced.
        if is_there(folder, name):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
        os.rename(source, name, src_dir_fd=source_folder, dst_dir_fd=folder)
        return
    os.link(
        source, name, src_dir_fd=source_folder, dst_dir_fd=folder,
        follow_symlinks=False,
    )  # fmt: skip
    os.unlink(source, dir_fd=source_folder)


def is_there(folder: int, name: str) -> bool:
    """Tell whether a name is taken, by a link that leads nowhere too."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def rename_beside(source_folder: int, source: str, folder: int, name: str) -> str:
    """Rename to a name that is free, such as `report (2).txt`; return it. Blocks."""
    stem, dot, ending = name.partition(".") if name[0] != "." else (name, "", "")
    for number in range(1, 1000):
        free = name if number == 1 else f"{stem} ({number}){dot}{ending}"
        try:
            rename_new(source_folder, source, folder, free)
        except FileExistsError:
            continue
        return free
    raise FileExistsError(errno.EEXIST, "a thousand of that name are there", name)
