"""Unpack a tar as it arrives: files and folders below one folder, nothing else."""

import io
import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, cast

from kqi_hub.sdk.errors import PortalError

_PIECE_BYTES: Final = 1024 * 1024
_MOST_SKIPPED: Final = 100


@dataclass(slots=True)
class Unpacked:
    """What was unpacked; `skipped` are links, which could lead anywhere."""

    files: int = 0
    bytes: int = 0
    skipped: list[str] = field(default_factory=list)


def unpack(
    pieces: Iterator[bytes], target: Path, got: Callable[[int], None] | None
) -> Unpacked:
    """Write what comes below a folder; files that are there are replaced."""
    done = Unpacked()
    stream = cast("IO[bytes]", _Stream(pieces))
    try:
        with tarfile.open(
            fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape"
        ) as archive:
            for member in archive:
                _unpack_one(archive, member, target, done, got)
    except (tarfile.TarError, EOFError) as error:
        raise PortalError("The folder came only in part.", "Fetch it again.") from error
    return done


def _unpack_one(
    archive: tarfile.TarFile,
    member: tarfile.TarInfo,
    target: Path,
    done: Unpacked,
    got: Callable[[int], None] | None,
) -> None:
    place = _place(target, member.name)
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
        return
    content = archive.extractfile(member) if member.isreg() else None
    if content is None:
        if len(done.skipped) < _MOST_SKIPPED:
            done.skipped.append(member.name)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    # A link that lies there is replaced, not written through.
    place.unlink(missing_ok=True)
    with place.open("xb") as file:
        while piece := content.read(_PIECE_BYTES):
            file.write(piece)
            if got is not None:
                got(len(piece))
    place.chmod(0o777 & member.mode | 0o600)
    os.utime(place, (member.mtime, member.mtime))
    done.files, done.bytes = done.files + 1, done.bytes + member.size


def _place(target: Path, name: str) -> Path:
    """Return where a member goes; whoever made the archive does not choose freely."""
    names = [one for one in name.split("/") if one not in {"", "."}]
    if ".." in names or name.startswith("/"):
        raise PortalError(f"{name!a} would lead out of the folder.", "Nothing to do.")
    place = target
    for one in names[:-1]:
        place /= one
        if place.is_symlink():
            raise PortalError(f"{place} is a link here.", "Fetch into an empty folder.")
    return target.joinpath(*names)


class _Stream(io.RawIOBase):
    """Pieces, read as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, count: int = -1) -> bytes:
        """Return that many bytes, or fewer at the end."""
        gathered = bytearray(self._rest)
        while count < 0 or len(gathered) < count:
            piece = next(self._pieces, b"")
            if not piece:
                break
            gathered += piece
        self._rest = bytes(gathered[count:]) if count >= 0 else b""
        return bytes(gathered[:count] if count >= 0 else gathered)
