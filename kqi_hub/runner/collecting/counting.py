"""Count what lies in an output, following nothing, for as long as there is time."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from kqi_hub.runner.collecting.cleaning import is_clean
from kqi_hub.runner.collecting.held import FOLDER

MOST_FOLDERS: Final = 400
_MOST_ENTRIES: Final = 1_000_000
_LONGEST_S: Final = 4.0
# Each level holds two descriptors.
_DEEPEST: Final = 100
_LONGEST_NAME: Final = 255


@dataclass(slots=True)
class Count:
    """Regular files with their bytes, and the folders right in the output."""

    files: int = 0
    bytes: int = 0
    is_whole: bool = True
    folders: list[str] = field(default_factory=list)
    has_more_folders: bool = False
    unfit_folders: int = 0


def counted(output: int, until: float) -> Count:
    """Return the count of what lies in an open folder."""
    count, seen = Count(), 0
    until = min(until, time.monotonic() + _LONGEST_S)
    with ExitStack() as stack:
        levels = [_entries(stack, output)]
        while levels:
            entry = next(levels[-1][1], None)
            if entry is None:
                levels.pop()[2].close()
                continue
            seen += 1
            if seen > _MOST_ENTRIES or time.monotonic() > until:
                count.is_whole = False
                break
            _add(count, entry, levels, stack)
    count.folders.sort()
    count.has_more_folders = len(count.folders) > MOST_FOLDERS
    del count.folders[MOST_FOLDERS:]
    return count


_Level = tuple[int, Iterator[os.DirEntry[str]], ExitStack]


def _entries(stack: ExitStack, folder: int) -> _Level:
    """Open a folder's list; what it holds is let go of with the stack at the latest."""
    own = stack.enter_context(ExitStack())
    entries = own.enter_context(os.scandir(folder))
    return folder, entries, own


def _add(
    count: Count, entry: os.DirEntry[str], levels: list[_Level], stack: ExitStack
) -> None:
    above = levels[-1][0]
    try:
        info = os.stat(entry.name, dir_fd=above, follow_symlinks=False)
        if stat.S_ISREG(info.st_mode):
            count.files += 1
            count.bytes += info.st_size
        if not stat.S_ISDIR(info.st_mode):
            return
        if len(levels) == 1:
            _note(count, entry.name)
        if len(levels) == _DEEPEST:
            count.is_whole = False
            return
        folder = os.open(entry.name, FOLDER, dir_fd=above)
    except FileNotFoundError:
        return  # gone meanwhile
    except OSError:
        count.is_whole = False
        return
    level = _entries(stack, folder)
    level[2].callback(os.close, folder)
    levels.append(level)


def _note(count: Count, name: str) -> None:
    """Note a folder right in the output; hidden ones are tools' own."""
    if name.startswith("."):
        return
    if is_clean(name) and name == name.strip() and len(name.encode()) <= _LONGEST_NAME:
        count.folders.append(name)
    else:
        count.unfit_folders += 1
