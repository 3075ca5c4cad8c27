"""A person's unpacked images on scratch, each once, by its digest and machine."""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = "root"
_ABOUT: Final = "image.json"
_USED: Final = "used"
_NEW: Final = ".new-"
_LOOK_S: Final = 1.0
_DAY_S: Final = 86_400.0
# Somebody else has it. A file system without locks says something else.
_HELD: Final = frozenset({errno.EACCES, errno.EAGAIN})

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class KeptImage:
    """An unpacked image."""

    root: Path
    about: Mapping[str, Any]

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables that it sets."""
        return dict(self.about.get("variables") or {})


class Cache:
    """The images of one person; only whole ones have a name there."""

    def __init__(self, top: Path) -> None:
        self.top = top

    def one(self, name: str) -> KeptImage | None:
        """Return an image that is there, noting that it is used; None otherwise."""
        folder = self.top / name
        try:
            about = json.loads((folder / _ABOUT).read_bytes())
            (folder / _USED).touch()
        except (OSError, ValueError):
            return None
        return KeptImage(folder / ROOT, about) if isinstance(about, dict) else None

    @contextlib.contextmanager
    def alone(self, name: str, say: Say) -> Iterator[None]:
        """Wait until no other job of the person's fetches the same image.

        Where the file system has no locks, two may: then the second one's is dropped.
        """
        self.top.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self.top / f".{name}.lock"
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(lock, flags, 0o600)
        try:
            _wait_for(handle, say)
            yield
        finally:
            os.close(handle)  # the lock goes with it

    @contextlib.contextmanager
    def new(self) -> Iterator[Path]:
        """Give a folder to build an image in; what is left of it goes away."""
        folder = Path(tempfile.mkdtemp(prefix=_NEW, dir=self.top))
        try:
            (folder / ROOT).mkdir(mode=0o755)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, folder: Path, name: str, about: Mapping[str, Any]) -> None:
        """Give a whole image its name, in one step."""
        (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
        (folder / _USED).touch()
        try:
            folder.rename(self.top / name)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise

    def sweep(self, keep_s: float, now: float | None = None) -> list[str]:
        """Remove images that no run has used for so long; return their names.

        So long is longer than any run: nobody sits in what is removed.
        """
        until = time.time() if now is None else now
        gone = []
        for entry in self._entries():
            kept_s = _DAY_S if entry.name.startswith(_NEW) else keep_s
            if until - _used_at(entry) > max(kept_s, _DAY_S):
                # Under no name that anybody would look for, before its first file goes.
                away = entry.with_name(f"{_NEW}{entry.name}")
                with contextlib.suppress(OSError):
                    entry.rename(away)
                    shutil.rmtree(away)
                    gone.append(entry.name)
        return gone

    def _entries(self) -> list[Path]:
        try:
            found = list(self.top.iterdir())
        except OSError:
            return []
        return [one for one in found if one.is_dir() and not one.is_symlink()]


def _used_at(folder: Path) -> float:
    for place in (folder / _USED, folder):
        with contextlib.suppress(OSError):
            return place.lstat().st_mtime
    return time.time()


def _wait_for(handle: int, say: Say) -> None:
    has_said = False
    while True:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _HELD:
                say(f"Images cannot be locked here ({error.strerror}).")
                return
        else:
            return
        if not has_said:
            say("Another job of yours is fetching this image: waiting for it.")
            has_said = True
        time.sleep(_LOOK_S)
