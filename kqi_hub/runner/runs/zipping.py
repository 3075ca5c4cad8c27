"""Results as one archive: links stay links, whatever a file is called."""

import os
import stat
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

# Much of what is kept is compressed already: little is won by trying hard.
_LEVEL: Final = 1
_PIECE: Final = 1 << 20

Progress = Callable[[int, int], None]


class ZipFailed(Exception):
    """The archive could not be made; the message is for people."""


def zip_folder(folder: Path, target: Path, progress: Progress) -> int:
    """Make an archive of a folder's content; return how many entries it has.

    It has its name once it is whole. What is no file, folder or link is left out.
    """
    half = target.with_name(f".{target.name}.part")
    try:
        entries = _entries(folder)
        with zipfile.ZipFile(
            half,
            "w",
            zipfile.ZIP_DEFLATED,
            compresslevel=_LEVEL,
            strict_timestamps=False,
        ) as archive:
            for number, path in enumerate(entries):
                _add(archive, path, str(path.relative_to(folder)))
                progress(number + 1, len(entries))
        half.replace(target)
    except (OSError, ValueError, zipfile.LargeZipFile) as error:
        raise ZipFailed(str(error)) from error
    finally:
        half.unlink(missing_ok=True)
    return len(entries)


def _entries(folder: Path) -> list[Path]:
    found: list[Path] = []

    def fail(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=fail):
        folders.sort()
        found += [Path(place, name) for name in sorted([*folders, *names])]
    return found


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    info = path.lstat()
    # Names that are no UTF-8 would not be taken.
    shown = os.fsencode(name).decode(errors="replace")
    entry = zipfile.ZipInfo(shown, _moment(info.st_mtime))
    entry.external_attr = (info.st_mode & 0xFFFF) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    if stat.S_ISDIR(info.st_mode):
        entry.filename += "/"
        archive.writestr(entry, b"", zipfile.ZIP_STORED)
    elif stat.S_ISLNK(info.st_mode):
        archive.writestr(entry, os.fsencode(path.readlink()))
    elif stat.S_ISREG(info.st_mode):
        _copy(archive, entry, path)


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    """Add a file piece by piece; one that grows meanwhile is no trouble."""
    with (
        path.open("rb") as source,
        archive.open(entry, "w", force_zip64=True) as stream,
    ):
        while piece := source.read(_PIECE):
            stream.write(piece)


def _moment(at: float) -> tuple[int, int, int, int, int, int]:
    year, month, day, hour, minute, second = time.localtime(max(at, 0))[:6]
    if year < 1980:  # archives know nothing earlier, nor after 2107
        return (1980, 1, 1, 0, 0, 0)
    if year > 2107:
        return (2107, 12, 31, 23, 59, 58)
    return (year, month, day, hour, minute, second)
