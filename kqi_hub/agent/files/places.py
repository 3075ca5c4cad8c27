"""A place is a root and a path. What lies there is looked at before it is opened.

`O_PATH` opens nothing: no FIFO waits, no device wakes up. Where the links on the way
have led is then asked of the kernel, and only what lies below an allowed folder is
opened, by that very descriptor: nothing can be put in between.
"""

import grp
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.names import arrived_path, travelling_path
from kqi_hub.agent.files.rules import FileRules
from kqi_hub.agent.folder import NotRegular

SCRATCH: Final = "scratch"
_DATA: Final = re.compile(r"data:([A-Za-z0-9_][A-Za-z0-9_.+-]{0,63})", re.ASCII)
_LOOK: Final = os.O_PATH | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Root:
    """Where paths begin; `may_change` is only our word, the kernel has the last."""

    name: str
    folder: Path
    may_change: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere below a root, by names of the operating system's."""

    root: Root
    names: tuple[str, ...]
    allowed: tuple[Path, ...]

    @property
    def path(self) -> str:
        """Return the path as it travels."""
        return travelling_path(self.names)

    @property
    def folder(self) -> "Place":
        """Return the folder that it lies in."""
        self.require_name()
        return Place(self.root, self.names[:-1], self.allowed)

    def require_name(self) -> None:
        """Refuse a root itself, which stays where it is."""
        if not self.names:
            raise Problem(403, "not-permitted", "This is the topmost folder itself.")

    def below(self, *names: str) -> "Place":
        """Return a place deeper down."""
        return Place(self.root, (*self.names, *names), self.allowed)


@dataclass(frozen=True, slots=True)
class Found:
    """What lies at a place, held without being opened."""

    place: int
    real: str
    info: os.stat_result

    @property
    def kind(self) -> str:
        """Return file, folder or other; never a link."""
        return kind_of(self.info.st_mode)

    @property
    def version(self) -> str:
        """Return what differs as soon as somebody has written."""
        return version_of(self.info)


class Roots:
    """The roots of a person."""

    def __init__(self, folder: Path, rules: FileRules) -> None:
        self._folder = folder
        self.rules = rules

    def place(self, root: str, path: str) -> Place:
        """Return a place that somebody names; Problem if there is no such root."""
        return Place(self.root(root), arrived_path(path), self._allowed())

    def root(self, name: str) -> Root:
        """Return a root by its name."""
        if name == SCRATCH:
            return Root(SCRATCH, self._folder, may_change=True)
        if Path(name) in self.rules.roots:
            return Root(name, Path(name), may_change=True)
        tenant = _DATA.fullmatch(name)
        if tenant is None or self.rules.store is None:
            raise Problem(
                404, "no-such-root", "`root` must be one of those that roots lists."
            )
        return Root(name, self.rules.store / tenant[1] / "data", may_change=False)

    def all(self) -> tuple[Root, ...]:
        """Return those that are there for this person. Blocks."""
        named = [SCRATCH, *map(str, self.rules.roots)]
        if self.rules.store is not None:
            named += [f"data:{name}" for name in _own_groups()]
        roots = [self.root(one) for one in named]
        return tuple(one for one in roots if os.access(one.folder, os.R_OK | os.X_OK))

    def _allowed(self) -> tuple[Path, ...]:
        rules = self.rules
        stores = () if rules.store is None else (rules.store,)
        return (self._folder, rules.scratch, *stores, *rules.roots)


def kind_of(mode: int) -> str:
    """Return what a thing is: file, folder, link or other."""
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "link" if stat.S_ISLNK(mode) else "other"


def version_of(info: os.stat_result) -> str:
    """Return a text that is another one after every change of a file."""
    return f"{info.st_ino:x}-{info.st_mtime_ns:x}-{info.st_size:x}"


@contextmanager
def found(place: Place) -> Iterator[Found]:
    """Hold what lies at a place; Problem 403 `outside` when a link leads away."""
    looked = os.open(Path(place.root.folder, *place.names), _LOOK)
    try:
        real = str(Path(f"/proc/self/fd/{looked}").readlink())
        require_inside(real, place.allowed)
        yield Found(looked, real, os.fstat(looked))
    finally:
        os.close(looked)


@contextmanager
def opened_folder(place: Place) -> Iterator[int]:
    """Open a folder for reading."""
    with found(place) as held, opened(held, os.O_DIRECTORY) as folder:
        yield folder


@contextmanager
def opened_file(place: Place) -> Iterator[tuple[int, Found]]:
    """Open a regular file for reading."""
    with found(place) as held:
        if held.kind == "folder":
            raise Problem(400, "is-folder", "This is a folder, not a file.")
        if held.kind != "file":
            raise NotRegular("not a regular file")
        with opened(held) as file:
            yield file, held


@contextmanager
def opened(held: Found, how: int = 0) -> Iterator[int]:
    """Open the very thing that is held."""
    file = os.open(f"/proc/self/fd/{held.place}", _READ | how)
    try:
        yield file
    finally:
        os.close(file)


def require_inside(real: str, allowed: tuple[Path, ...]) -> None:
    """Refuse a real path that lies below none of the allowed folders."""
    for one in allowed:
        top = os.path.realpath(one)
        if real == top or real.startswith(f"{top.rstrip('/')}/"):
            return
    raise Problem(
        403, "outside", "A link leads out of the folders that may be shown here."
    )


def _own_groups() -> list[str]:
    names = []
    for number in sorted({os.getgid(), *os.getgroups()}):
        with suppress(KeyError):
            names.append(grp.getgrgid(number).gr_name)
    return [name for name in names if _DATA.fullmatch(f"data:{name}")]
