"""The folder that a site publishes its bases in: where things are, written whole."""

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conda_bootstrap.errors import WrongUse

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}", re.ASCII)
_VERSION: Final = re.compile(r"[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SiteFolder:
    """A site's folder. The operator writes in it, everybody reads."""

    path: Path

    @property
    def channel(self) -> Path:
        """Return the channel with exactly the packages that the locks name."""
        return self.path / "channel"

    @property
    def bases(self) -> Path:
        """Return where each base has a folder."""
        return self.path / "bases"

    @property
    def commands(self) -> Path:
        """Return where the commands for people on a login node are."""
        return self.path / "bin"

    @property
    def settings(self) -> Path:
        """Return the file that says what is offered, and from where."""
        return self.path / "site.json"

    def versions(self, base: str) -> list[Path]:
        """Return the folders of a base's locks, the newest first."""
        found = (self.bases / check_base_name(base)).glob("*")
        known = [one for one in found if _VERSION.fullmatch(one.name)]
        return sorted(known, key=lambda one: one.stat().st_mtime, reverse=True)

    def base_names(self) -> list[str]:
        """Return the names of all bases, published or not."""
        if not self.bases.is_dir():
            return []
        found = [one.name for one in self.bases.iterdir() if one.is_dir()]
        return sorted(one for one in found if _NAME.fullmatch(one))

    def current(self, base: str) -> Path | None:
        """Return the folder of the lock that people get, None while there is none."""
        link = self.bases / check_base_name(base) / "current"
        return link.resolve() if link.is_dir() else None

    def make(self) -> None:
        """Make the folders, open to everybody's reading whatever the umask."""
        subdirs = (self.channel / "noarch", self.channel / "linux-64")
        self.path.mkdir(parents=True, exist_ok=True)
        for folder in (self.path, self.channel, *subdirs, self.bases, self.commands):
            make_folder(folder)

    @contextlib.contextmanager
    def alone(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Let one process at a time write; call `waiting` first if another does."""
        self.make()
        with (self.path / ".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def check_base_name(name: str) -> str:
    """Return the name of a base, or say which names there may be."""
    if not _NAME.fullmatch(name):
        raise WrongUse(
            "name",
            f"{ascii(name)[:60]} cannot be the name of a base.",
            "Use 1 to 40 of the characters a-z 0-9 . _ - and begin with a letter or"
            " a digit.",
        )
    return name


def make_folder(path: Path) -> Path:
    """Make a folder that everybody may read and only its owner change."""
    path.mkdir(exist_ok=True)
    path.chmod(0o755)
    return path


def write_whole(path: Path, text: str, mode: int = 0o644) -> Path:
    """Replace a file in one step, so that nobody ever reads half of it."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("x", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        beside.chmod(mode)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    return path


def point(link: Path, target: str) -> None:
    """Have a symbolic link lead somewhere else, in one step."""
    beside = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
    beside.symlink_to(target)
    beside.replace(link)
