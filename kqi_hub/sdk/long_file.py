"""Send one large file from where the store has it; what it keeps is compared."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.local_files import LocalFile
from kqi_hub.sdk.patience import Patience
from kqi_hub.sdk.store_wire import Interrupted, StoreRefused, StoreWire
from kqi_hub.sdk.upload_progress import Meter

CHUNK_BYTES: Final = 1024 * 1024
# What one request carries at most: so much may have to be sent again through a proxy.
SEGMENT_BYTES: Final = 512 * 1024 * 1024


class ChangedMeanwhile(PortalError):
    """A file here is not any more what it was when the upload began."""

    exit_code = 5

    def __init__(self, one: LocalFile, how: str) -> None:
        super().__init__(
            f"{one.source} has changed since the upload began: {how}.",
            "Nothing of this upload shows yet. Drop it (kqi data drop), begin again.",
        )


class LongFile:
    """One file on its way."""

    def __init__(
        self, wire: StoreWire, meter: Meter, patience: Patience, one: LocalFile
    ) -> None:
        self._wire, self._meter, self._patience = wire, meter, patience
        self._one = one
        self._digest = hashlib.sha256()
        self._hashed = 0

    def send(self, offset: int) -> str:
        """Send it and return its SHA-256, empty if not all of it was read here.

        The store has `offset` bytes, and they are counted already.
        """
        with opened(self._one) as file:
            attempt = 0
            while True:
                said, moved = self._send_part(file, offset, attempt)
                offset = int(said["offset"])
                attempt = 0 if moved else attempt + 1
                if said["done"]:
                    break
        self._meter.kept()
        if self._hashed != self._one.size:
            return ""
        if said.get("sha256", self._digest.hexdigest()) != self._digest.hexdigest():
            raise ChangedMeanwhile(self._one, "the store keeps other content")
        return self._digest.hexdigest()

    def _send_part(
        self, file: BinaryIO, offset: int, attempt: int
    ) -> tuple[Mapping[str, Any], bool]:
        """Send a segment; return where the store is then, and whether that is on."""
        self._hash_up_to(file, offset)
        part = _Part(file, min(SEGMENT_BYTES, self._one.size - offset), self)
        said: Mapping[str, Any]
        try:
            said = self._wire.send_part(self._one, offset, iter(part), part.length)
        except Interrupted as why:
            check_unchanged(self._one, file)
            self._patience.pause(attempt, why)
            said = self._where()
        except StoreRefused as error:
            if error.code != "offset":
                raise
            self._patience.pause(attempt, error)
            said = {"offset": error.said["offset"], "done": False}
        self._meter.sent(int(said["offset"]) - offset - part.counted)
        return said, int(said["offset"]) > offset

    def _where(self) -> Mapping[str, Any]:
        ask = lambda: self._wire.known([self._one])  # noqa: E731 - asked again and again
        known = self._patience.until_answered(ask)
        offset, is_done = known.get(self._one.path, (0, False))
        return {"offset": offset, "done": is_done}

    def _hash_up_to(self, file: BinaryIO, offset: int) -> None:
        """Bring hash and file to where the store is; part of a file is read again."""
        if self._hashed > offset:
            self._digest, self._hashed = hashlib.sha256(), 0
        file.seek(self._hashed)
        while self._hashed < offset:
            self._patience.check()
            self.read(file, offset - self._hashed)

    def read(self, file: BinaryIO, most: int) -> bytes:
        """Read and hash a piece."""
        piece = file.read(min(CHUNK_BYTES, most))
        if not piece:
            raise ChangedMeanwhile(self._one, "it is shorter")
        self._digest.update(piece)
        self._hashed += len(piece)
        return piece

    def count(self, size: int) -> None:
        """Count what was handed to the network; Stopped if there is no use in more."""
        self._patience.check()
        self._meter.sent(size)


class _Part:
    """A part of a file, read as it is sent."""

    def __init__(self, file: BinaryIO, length: int, whole: LongFile) -> None:
        self._file, self._whole = file, whole
        self.length = length
        self.counted = 0

    def __iter__(self) -> Iterator[bytes]:
        left = self.length
        while left:
            piece = self._whole.read(self._file, left)
            left -= len(piece)
            yield piece
            self.counted += len(piece)
            self._whole.count(len(piece))


def opened(one: LocalFile) -> BinaryIO:
    """Open a file that is still as large as it was."""
    try:
        file = Path(one.source).open("rb")  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise ChangedMeanwhile(one, f"it cannot be read: {error.strerror}") from error
    try:
        check_unchanged(one, file)
    except ChangedMeanwhile:
        file.close()
        raise
    return file


def check_unchanged(one: LocalFile, file: BinaryIO) -> None:
    """Raise ChangedMeanwhile if it is not any more as large as it was."""
    size = os.fstat(file.fileno()).st_size
    if size != one.size:
        raise ChangedMeanwhile(one, f"it had {one.size:,} bytes and has {size:,}")
