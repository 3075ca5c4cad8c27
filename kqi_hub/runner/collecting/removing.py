"""Remove folders of runs, following nothing, however deep and large they are.

A folder is first renamed, which takes it out of sight in one step. Then it is emptied
flat: a folder that is not empty moves up to the top, so that two descriptors are enough
for any depth. What a call has no time for, a later one finds under its hidden name.
"""

import errno
import os
import stat
import time
from contextlib import suppress
from typing import Final

from kqi_hub.runner.collecting.cleaning import cleaned
from kqi_hub.runner.collecting.held import FOLDER, Unfit, folder_below, names_in

_HIDDEN: Final = ".removed-"
_LOOK: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL: Final = frozenset({errno.ENOTEMPTY, errno.EEXIST})
_LONGEST_LINE: Final = 300


class TimeIsUp(Exception):
    """What is left is for a later call."""


def removed(place: str, folder: str, until: float) -> str:
    """Remove a run's folder; return why not, empty when it is gone. TimeIsUp."""
    kind, number = folder.split("/")
    hidden = f"{_HIDDEN}{number}"
    try:
        with folder_below(place, [kind]) as shelf:
            # One that an earlier call had no time for.
            _remove(shelf, hidden, until)
            with suppress(FileNotFoundError):
                os.rename(number, hidden, src_dir_fd=shelf, dst_dir_fd=shelf)
                _remove(shelf, hidden, until)
    except FileNotFoundError:
        return ""
    except Unfit as unfit:
        return cleaned(str(unfit), _LONGEST_LINE)
    except OSError as error:
        return cleaned(error.strerror or str(error), _LONGEST_LINE)
    return ""


def _remove(shelf: int, name: str, until: float) -> None:
    """Remove whatever is called so: a link itself, a folder with what is in it."""
    if _gone(shelf, name):
        return
    top = _opened(shelf, name)
    try:
        device = os.fstat(top).st_dev
        while names := names_in(top):
            for one in names:
                _check(until)
                _empty(top, one, device, until)
    finally:
        os.close(top)
    os.rmdir(name, dir_fd=shelf)


def _empty(top: int, name: str, device: int, until: float) -> None:
    """Remove one thing right in the top folder; folders in it come up beside it."""
    if _gone(top, name):
        return
    folder = _opened(top, name)
    try:
        if os.fstat(folder).st_dev != device:
            raise Unfit("another file system is mounted in the folder")
        for one in names_in(folder):
            _check(until)
            if not _gone(folder, one):
                _open_up(folder, one)
                place = os.urandom(16).hex()
                os.rename(one, place, src_dir_fd=folder, dst_dir_fd=top)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)


def _check(until: float) -> None:
    if time.monotonic() > until:
        raise TimeIsUp


def _gone(folder: int, name: str) -> bool:
    """Remove a thing that is no folder, or an empty one; False for a full folder."""
    try:
        if _is_folder(folder, name):
            os.rmdir(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno in _FULL:
            return False
        raise
    return True


def _is_folder(folder: int, name: str) -> bool:
    info = os.stat(name, dir_fd=folder, follow_symlinks=False)
    return stat.S_ISDIR(info.st_mode)


def _opened(above: int, name: str) -> int:
    """Open a folder, also one that its owner may not look into."""
    _open_up(above, name)
    return os.open(name, FOLDER, dir_fd=above)


def _open_up(above: int, name: str) -> None:
    """Give the owner every right on a folder: emptying and moving it needs them."""
    looked = os.open(name, _LOOK, dir_fd=above)
    try:
        info = os.fstat(looked)
        closed = stat.S_IMODE(info.st_mode) & 0o700 != 0o700
        if stat.S_ISDIR(info.st_mode) and closed and info.st_uid == os.getuid():
            os.chmod(f"/proc/self/fd/{looked}", 0o700)  # noqa: PTH101  this very thing, not what is called so now
    finally:
        os.close(looked)
