"""A copy of a dataset on the node's own disk, for jobs that read it many times."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

# Where a site gives jobs a place of their own on the node, this names it.
_PLACE: Final = "SLURM_TMPDIR"
# What stays free for everybody else on the node.
_SPARE_BYTES: Final = 256 << 20
_AT_ONCE: Final = 4
_IN_LINE: Final = 1000

Progress = Callable[[int, int], None]


class NoCopy(Exception):
    """The copy cannot be made; the message is for people."""


def local_place(environ: Mapping[str, str]) -> Path:
    """Return the folder on this node where copies are made."""
    place = Path(environ.get(_PLACE) or "/")
    if place.is_absolute() and place != Path("/") and place.is_dir():
        return place
    return Path(tempfile.gettempdir())


@contextmanager
def local_copy(source: Path, place: Path, progress: Progress) -> Iterator[Path]:
    """Copy a tree and give where it lies; it goes away afterwards. NoCopy.

    `progress` is called with the bytes that are done, and how many there are.
    """
    files, total = _listed(source)
    _check_room(place, total)
    try:
        folder = Path(tempfile.mkdtemp(prefix="kqi-input-", dir=place))
    except OSError as error:
        raise NoCopy(f"{place}: {error.strerror or error}") from error
    try:
        try:
            _copy_all(source, folder, files, total, progress)
        except OSError as error:
            name = error.filename or source
            raise NoCopy(f"{name}: {error.strerror or error}") from error
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _listed(source: Path) -> tuple[list[tuple[str, int]], int]:
    """Return each file below a folder with its size, and the sum."""
    files: list[tuple[str, int]] = []

    def fail(error: OSError) -> None:
        raise NoCopy(f"{error.filename}: {error.strerror}")

    for place, _, names in os.walk(source, onerror=fail):
        for name in names:
            path = Path(place, name)
            info = path.stat()
            if stat.S_ISREG(info.st_mode):
                files.append((str(path.relative_to(source)), info.st_size))
    return files, sum(size for _, size in files)


def _check_room(place: Path, total: int) -> None:
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise NoCopy(f"{place}: {error.strerror or error}") from error
    if total + _SPARE_BYTES > free:
        raise NoCopy(
            f"{place} has {free / 1e9:.1f} GB free and the copy needs "
            f"{total / 1e9:.1f} GB"
        )


def _copy_all(
    source: Path,
    folder: Path,
    files: list[tuple[str, int]],
    total: int,
    progress: Progress,
) -> None:
    for inside in {Path(name).parent for name, _ in files}:
        (folder / inside).mkdir(parents=True, exist_ok=True)

    def copy(one: tuple[str, int]) -> int:
        target = folder / one[0]
        shutil.copyfile(source / one[0], target)
        target.chmod(0o400)
        return one[1]

    done = 0
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for start in range(0, len(files), _IN_LINE):
            for size in pool.map(copy, files[start : start + _IN_LINE]):
                done += size
                progress(done, total)
    finally:
        pool.shutdown(cancel_futures=True)
