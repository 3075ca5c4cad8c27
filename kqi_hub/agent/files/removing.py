"""Delete folders whole, however deep, without ever following a link."""

import os
import secrets
from typing import Protocol

from kqi_hub.agent.disk import disk_problem
from kqi_hub.agent.files.changing import changing
from kqi_hub.agent.files.names import travelling_path
from kqi_hub.agent.files.places import Place
from kqi_hub.agent.files.walking import DEEPEST, Level, open_level


class Told(Protocol):
    """Who is told how far it is; raises when it is to end."""

    def step(self, size: int) -> None:
        """Take note of one thing removed."""

    def miss(self, path: str, code: str, message: str) -> None:
        """Take note of one thing that stays."""


def remove(place: Place, told: Told) -> None:
    """Remove a file, a link, or a folder with all that it holds. Blocks."""
    place.require_name()
    with changing(place.folder) as parent:
        name = place.names[-1]
        info = os.stat(name, dir_fd=parent, follow_symlinks=False)
        try:
            os.unlink(name, dir_fd=parent)
        except IsADirectoryError:
            _Removal(place, told).remove(parent)
        else:
            told.step(info.st_size)


class _Removal:
    """One folder that is being removed."""

    def __init__(self, place: Place, told: Told) -> None:
        self._place, self._told = place, told
        self._hoisted = False

    def remove(self, parent: int) -> None:
        """Empty it, then remove it."""
        while True:
            self._hoisted = False
            levels = [open_level(parent, self._place.names)]
            try:
                self._empty(levels, parent)
            finally:
                for level in levels:
                    level.holding.close()
            if not self._hoisted:
                return

    def _empty(self, levels: list[Level], parent: int) -> None:
        while levels:
            level = levels[-1]
            one = next(level.entries, None)
            if one is not None:
                self._take(levels, one)
                continue
            levels.pop().holding.close()
            above = levels[-1].folder if levels else parent
            if levels or not self._hoisted:
                self._leave(above, level.names)

    def _take(self, levels: list[Level], one: os.DirEntry[str]) -> None:
        level = levels[-1]
        names = (*level.names, one.name)
        try:
            if not one.is_dir(follow_symlinks=False):
                os.unlink(one.name, dir_fd=level.folder)
                self._told.step(0)
            elif len(levels) < DEEPEST:
                levels.append(open_level(level.folder, names))
            else:
                self._hoist(levels, one.name)
        except OSError as error:
            self._miss(names, error)

    def _hoist(self, levels: list[Level], name: str) -> None:
        """Move up a folder that lies too deep: descriptors are few."""
        free = f".{secrets.token_hex(8)}"
        os.rename(name, free, src_dir_fd=levels[-1].folder, dst_dir_fd=levels[0].folder)
        self._hoisted = True

    def _leave(self, above: int, names: tuple[str, ...]) -> None:
        try:
            os.rmdir(names[-1], dir_fd=above)
            self._told.step(0)
        except OSError as error:
            self._miss(names, error)

    def _miss(self, names: tuple[str, ...], error: OSError) -> None:
        problem = disk_problem(error)
        self._told.miss(travelling_path(names), problem.code, problem.message)
