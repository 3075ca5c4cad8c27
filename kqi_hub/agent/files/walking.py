"""Go through a folder with everything below it, following nothing."""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from kqi_hub.agent.files.leaving import Leaving

# Each level holds two descriptors, and an agent may have a thousand.
DEEPEST: Final = 100
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ_FILE: Final = (
    os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing on the way: its names from the beginning, and the folder it is in."""

    names: tuple[str, ...]
    folder: int
    info: os.stat_result

    @property
    def is_folder(self) -> bool:
        """Tell whether what is in it comes next."""
        return stat.S_ISDIR(self.info.st_mode)

    @property
    def is_file(self) -> bool:
        """Tell whether it has content."""
        return stat.S_ISREG(self.info.st_mode)


@dataclass(frozen=True, slots=True)
class Missed:
    """Something that could not be looked at, and why."""

    names: tuple[str, ...]
    why: str


@dataclass(slots=True)
class Level:
    """A folder on the way down, open."""

    names: tuple[str, ...]
    folder: int
    entries: Iterator[os.DirEntry[str]]
    holding: ExitStack


def open_level(above: int, names: tuple[str, ...]) -> Level:
    """Open a folder in another one; never a link."""
    with ExitStack() as holding:
        own = os.open(names[-1], _FOLDER, dir_fd=above)
        holding.callback(os.close, own)
        entries = holding.enter_context(os.scandir(own))
        return Level(names, own, entries, holding.pop_all())


def walk(folder: int, name: str, leaving: Leaving) -> Iterator[Seen | Missed]:
    """Yield what is called so in a folder, then what is below it, folders first.

    Descriptors in what is yielded are good until the next step.
    """
    levels: list[Level] = []
    try:
        yield from _enter(levels, folder, (name,))
        while levels:
            level = levels[-1]
            one = next(level.entries, None)
            leaving.check()
            if one is None:
                levels.pop().holding.close()
            else:
                yield from _enter(levels, level.folder, (*level.names, one.name))
    finally:
        for level in levels:
            level.holding.close()


def _enter(
    levels: list[Level], folder: int, names: tuple[str, ...]
) -> Iterator[Seen | Missed]:
    try:
        info = os.stat(names[-1], dir_fd=folder, follow_symlinks=False)
        yield Seen(names, folder, info)
        if not stat.S_ISDIR(info.st_mode):
            return
        if len(levels) == DEEPEST:
            yield Missed(names, "too many folders in each other")
        else:
            levels.append(open_level(folder, names))
    except FileNotFoundError:
        return  # removed meanwhile
    except OSError as error:
        yield Missed(names, error.strerror or "unreadable")
