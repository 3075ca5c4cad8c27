"""Removing: away at once by a rename, unlinked later by a thread of its own.

A restart goes on with what it finds in the folder. What nobody links any more goes
with it: a removed file whose content has one link left frees that content too.
"""

import logging
import os
import secrets
import threading
from pathlib import Path
from typing import Final

from kqi_hub.store.contents import Contents

_LOG: Final = logging.getLogger(__name__)
# The content's own link, and the one that goes.
_LAST: Final = 2


class Removal:
    """What is on its way out of one tenant's place."""

    def __init__(self, folder: Path, contents: Contents) -> None:
        self._folder, self._contents = folder, contents
        self._wake = threading.Event()
        self._idle = threading.Event()
        self._freed: set[int] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name="removal", daemon=True).start()
        self._wake.set()

    def take(self, path: Path) -> bool:
        """Take something away; what is not there is no error."""
        self._idle.clear()
        try:
            path.rename(self._folder / f"{secrets.token_hex(8)}")
        except FileNotFoundError:
            self._wake.set()
            return False
        self._wake.set()
        return True

    def unlink(self, path: Path) -> bool:
        """Remove one file now, its content a little later."""
        try:
            seen = path.lstat()
            path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        if seen.st_nlink == _LAST:
            with self._lock:
                self._freed.add(seen.st_ino)
        return True

    def free(self) -> None:
        """Have the contents of unlinked files freed."""
        self._idle.clear()
        self._wake.set()

    def wait(self, timeout_s: float) -> bool:
        """Return whether everything that was taken is gone within this time."""
        return self._idle.wait(timeout_s)

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            try:
                self._remove_all()
            except OSError:
                # It stays in the folder; the next removal or start tries again.
                _LOG.exception("Something cannot be removed from %s", self._folder)
            if not self._wake.is_set():
                self._idle.set()

    def _remove_all(self) -> None:
        with os.scandir(self._folder) as entries:
            names = [entry.path for entry in entries]
        for name in names:
            self._remove(name)
        with self._lock:
            freed, self._freed = self._freed, set()
        if freed:
            self._contents.drop_unused(freed)

    def _remove(self, top: str) -> None:
        if not os.path.isdir(top) or os.path.islink(top):
            os.unlink(top)
            return
        for folder, below, files, descriptor in os.fwalk(top, topdown=False):
            for name in files:
                seen = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                os.unlink(name, dir_fd=descriptor)
                if seen.st_nlink == _LAST:
                    with self._lock:
                        self._freed.add(seen.st_ino)
            del folder
            for name in below:
                os.rmdir(name, dir_fd=descriptor)
        os.rmdir(top)
