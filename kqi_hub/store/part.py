"""A file on its way in: written and hashed in one go, in the order of its bytes."""

import errno
import fcntl
import hashlib
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from kqi_hub.store.contents import MODE
from kqi_hub.store.errors import Busy, WrongBody, WrongOffset, telling_full_disk
from kqi_hub.store.flush import begin_writing

_CHUNK: Final = 1024 * 1024
_FICLONE: Final = 0x40049409
_CANNOT_CLONE: Final = frozenset(
    {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.EPERM}
)
_WRITE_EARLY: Final = 32 * 1024 * 1024
# While it grows we must be able to open it again; only we reach its folder.
_GROWING: Final = 0o640


class Part:
    """The bytes of one file that came so far; one sender at a time.

    A new sender takes over from one that is still there: after a cut the old
    connection may look alive for minutes.
    """

    def __init__(self, path: Path, number: int, size: int) -> None:
        self.path, self.number, self.size = path, number, size
        self.offset = 0
        self._digest = hashlib.sha256()
        self._read = False
        self._file: int | None = None
        self._sender: object | None = None
        self._lock = threading.Lock()
        self._written = 0

    def begin(self, sender: object, offset: int | None) -> None:
        """Make this the sender of what follows at an offset, or say what does.

        After a restart what is here is read once, for its hash. Without an offset the
        file begins anew.
        """
        with self._lock, telling_full_disk():
            if self._file is None:
                self._file = self._open()
            if offset is None:
                os.ftruncate(self._file, 0)
            if offset is None or not self._read:
                self._read_again(self._file)
            if offset is None or self.offset == offset:
                self._sender = sender
                return
            if self._sender is None:
                self._close()
            raise WrongOffset(
                f"The file goes on at byte {self.offset}, not at {offset}.",
                "Send it from there.",
                {"offset": self.offset},
            )

    def write(self, sender: object, data: bytes | memoryview) -> None:
        """Take the bytes that follow; Busy when another sender has taken over."""
        with self._lock:
            if self._sender is not sender or self._file is None:
                raise Busy("Another connection goes on with this file.")
            if self.offset + len(data) > self.size:
                raise WrongBody(f"The file was to have {self.size} bytes.")
            with telling_full_disk():
                self._write_all(self._file, memoryview(data))
            if self.offset - self._written >= _WRITE_EARLY:
                begin_writing(self._file, self._written, self.offset - self._written)
                self._written = self.offset

    def clone(self, sender: object, source: int) -> bool:
        """Become a clone of an open file, its blocks shared; False if that cannot be.

        What is hashed is the clone: nobody can change that one.
        """
        with self._lock:
            if self._sender is not sender or self._file is None:
                return False
            try:
                fcntl.ioctl(self._file, _FICLONE, source)
            except OSError as error:
                if error.errno in _CANNOT_CLONE:
                    return False
                raise
            self._read_again(self._file)
            return True

    def leave(self, sender: object) -> None:
        """Let go of the file, if this is still the sender."""
        with self._lock:
            if self._sender is sender:
                self._sender = None
                self._close()

    def finish(self, sender: object) -> str | None:
        """Close a file that is whole and return its hash; None while bytes lack."""
        with self._lock:
            if self._sender is not sender or self.offset < self.size:
                return None
            if self._file is not None:
                os.fchmod(self._file, MODE)
            self._sender = None
            self._close()
            return self._digest.hexdigest()

    @property
    def is_idle(self) -> bool:
        """Tell whether nobody sends it right now."""
        return self._sender is None

    def _open(self) -> int:
        """Open it for writing; what others link is theirs, and ours begins anew."""
        with suppress(FileNotFoundError):
            seen = os.lstat(self.path)
            if seen.st_nlink > 1:
                # Killed before it was noted as whole: it is a content by now.
                os.unlink(self.path)
            elif not seen.st_mode & 0o200:
                self.path.chmod(_GROWING)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self.path, flags, _GROWING)

    def _write_all(self, file: int, data: memoryview) -> None:
        while data:
            # Hashed is what was written, no more: a full disk may take a part.
            taken = os.pwrite(file, data, self.offset)
            self._digest.update(data[:taken])
            self.offset += taken
            data = data[taken:]

    def _read_again(self, file: int) -> None:
        self._digest, self.offset = hashlib.sha256(), 0
        while self.offset < self.size:
            wanted = min(_CHUNK, self.size - self.offset)
            chunk = os.pread(file, wanted, self.offset)
            if not chunk:
                break
            self._digest.update(chunk)
            self.offset += len(chunk)
        os.ftruncate(file, self.offset)
        self._read, self._written = True, self.offset

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
