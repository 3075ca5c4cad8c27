"""Contents: each is kept once, named by its SHA-256, and counted by its links.

A content has a link here and one more for everybody who counts on it: an upload, a data
item, a dataset's tree. One link is left: nobody does. File systems limit the links of
one inode (ext4: 65,000), so a content may have several inodes, `<sha256>`,
`<sha256>.1` and so on.
"""

import contextlib
import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MODE: Final = 0o440
_CHUNK: Final = 1024 * 1024
_FULL: Final = errno.EMLINK


class Contents:
    """The contents of one tenant; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Between "one link is left" and its removal nobody may link it.
        self._locks = [threading.Lock() for _ in range(256)]
        self._made: set[str] = set()

    def take(self, file: str, sha256: str, size: int) -> None:
        """Keep a whole file of ours; if its content is known, the file becomes that.

        `file` stays as a link to the content in either case.
        """
        with self._lock(sha256):
            for place in self._places(sha256):
                if self._same(place, file, size):
                    return

    def put(self, sha256: str, size: int, file: str) -> bool:
        """Link a content to `file` if there is one with room for a link."""
        with self._lock(sha256):
            for place in self._places(sha256):
                try:
                    if os.lstat(place).st_size != size:
                        return False
                    _link_over(place, file)
                except FileNotFoundError:
                    return False
                except OSError as error:
                    if error.errno != _FULL:
                        raise
                else:
                    return True
        return False

    def link(self, source: str, target: str) -> None:
        """Link a file of ours again, with a new inode where one has no room left."""
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError as error:
            if error.errno != _FULL:
                raise
            self._link_twin(source, target)

    def drop_unused(self, inodes: set[int]) -> int:
        """Remove those of these inodes that nobody links; return the bytes freed."""
        freed = 0
        for folder, entry in self._entries():
            if entry.inode() in inodes:
                freed += self._drop(f"{folder}/{entry.name}", entry.name)
        return freed

    def unused(self) -> Iterator[tuple[str, int, float]]:
        """Yield name, size and last change of each content that nobody links."""
        for _, entry in self._entries():
            seen = entry.stat(follow_symlinks=False)
            if seen.st_nlink == 1:
                yield entry.name, seen.st_size, seen.st_ctime

    def drop(self, name: str) -> int:
        """Remove a content of this name unless somebody links it."""
        return self._drop(f"{self._folder}/{name[:2]}/{name}", name)

    def count(self) -> tuple[int, int]:
        """Return how many there are, and the bytes that they take on the disk."""
        number = taken = 0
        for _, entry in self._entries():
            with contextlib.suppress(FileNotFoundError):
                taken += entry.stat(follow_symlinks=False).st_blocks * 512
                number += 1
        return number, taken

    def _entries(self) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
        for number in range(256):
            folder = f"{self._folder}/{number:02x}"
            try:
                with os.scandir(folder) as entries:
                    yield from ((folder, entry) for entry in entries)
            except FileNotFoundError:
                continue

    def _drop(self, path: str, sha256: str) -> int:
        with self._lock(sha256):
            try:
                seen = os.lstat(path)
            except FileNotFoundError:
                return 0
            if seen.st_nlink > 1:
                return 0
            os.unlink(path)
            return seen.st_size

    def _lock(self, sha256: str) -> threading.Lock:
        return self._locks[int(sha256[:2], 16)]

    def _places(self, sha256: str) -> Iterator[str]:
        first = self._shelf(sha256)
        yield first
        number = 1
        while True:
            yield f"{first}.{number}"
            number += 1

    def _shelf(self, sha256: str) -> str:
        prefix = sha256[:2]
        folder = f"{self._folder}/{prefix}"
        if prefix not in self._made:
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder, 0o750)
            self._made.add(prefix)
        return f"{folder}/{sha256}"

    def _same(self, place: str, file: str, size: int) -> bool:
        """Make file and content one inode; False when this one has no room left."""
        try:
            os.link(file, place, follow_symlinks=False)
        except FileExistsError:
            return self._join(place, file, size)
        return True

    def _join(self, place: str, file: str, size: int) -> bool:
        spare = f"{file}.same"
        if os.lstat(place).st_size != size:
            # Cut off when the power failed: the new one is whole.
            os.link(file, spare, follow_symlinks=False)
            os.replace(spare, place)
            return True
        try:
            os.link(place, spare, follow_symlinks=False)
        except OSError as error:
            if error.errno == _FULL:
                return False
            raise
        os.replace(spare, file)
        # Of two names of one inode a rename leaves both.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(spare)
        return True

    def _link_twin(self, source: str, target: str) -> None:
        sha256, size = _copy(source, target)
        self.take(target, sha256, size)


def _link_over(place: str, file: str) -> None:
    """Link a content to a name; what a killed process left there goes."""
    try:
        os.link(place, file, follow_symlinks=False)
    except FileExistsError:
        os.unlink(file)
        os.link(place, file, follow_symlinks=False)


def _copy(source: str, target: str) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with (
        open(source, "rb", buffering=0) as old,
        os.fdopen(
            os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "wb"
        ) as new,
    ):
        while chunk := old.read(_CHUNK):
            digest.update(chunk)
            new.write(chunk)
            size += len(chunk)
    return digest.hexdigest(), size
