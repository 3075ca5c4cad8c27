"""Publish an upload: link its files into a data item, all of them or none.

A new item is built where nobody looks and appears by one rename. Asked again after any
kind of death it goes on, and says the same.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from kqi_hub.domain.data_ports import Published, Told
from kqi_hub.domain.errors import Conflict, Incomplete
from kqi_hub.store.contents import MODE, Contents
from kqi_hub.store.errors import PathTaken, telling_full_disk
from kqi_hub.store.file_list import Row
from kqi_hub.store.flush import flush_file_system, flush_folder
from kqi_hub.store.places import Place
from kqi_hub.store.removal import Removal
from kqi_hub.store.spreading import Spread
from kqi_hub.store.upload import OPEN, PUBLISHED, PUBLISHING, Upload

_TOGETHER: Final = 1000


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where things are put: the tenant's place, contents, and way out."""

    place: Place
    contents: Contents
    removal: Removal


@dataclass(frozen=True, slots=True)
class _Batch:
    """Files of one folder."""

    folder: str
    rows: tuple[Row, ...]


def publish(
    upload: Upload, shelf: Shelf, data_id: int, announced: Published, told: Told
) -> Published:
    """Put the upload's files into the item and return how many they are."""
    target = shelf.place.item(data_id)
    if upload.state != PUBLISHED:
        _begin(upload, data_id, announced)
        try:
            _check_sizes(upload)
            with telling_full_disk():
                _place(upload, shelf, target, told)
        except (Conflict, PathTaken):
            upload.set_state(OPEN)
            raise
        upload.set_state(PUBLISHED)
    _check_same(upload, data_id)
    return Published(upload.whole.files, upload.whole.bytes)


def _begin(upload: Upload, data_id: int, announced: Published) -> None:
    if upload.state == PUBLISHING:
        _check_same(upload, data_id)
    cut = tuple(upload.cut(10))
    whole = upload.whole
    if cut or (whole.files, whole.bytes) != (announced.files, announced.bytes):
        raise _incomplete(whole.files, whole.bytes, announced, cut)
    upload.set_state(PUBLISHING, data=str(data_id))


def _check_same(upload: Upload, data_id: int) -> None:
    if upload.fact("data") != str(data_id):
        raise Conflict("This upload belongs to another data item.")


def _check_sizes(upload: Upload) -> None:
    """Find files whose last bytes a power failure took: they must come again."""
    lost = [row for row in upload.rows() if row.size and not _is_whole(upload, row)]
    if lost:
        upload.unmake(lost)
        whole = upload.whole
        announced = Published(whole.files + len(lost), whole.bytes)
        paths = tuple(row.path for row in lost[:10])
        raise _incomplete(whole.files, whole.bytes, announced, paths)


def _is_whole(upload: Upload, row: Row) -> bool:
    try:
        return os.lstat(upload.path_of(row.number)).st_size == row.size
    except FileNotFoundError:
        return False


def _place(upload: Upload, shelf: Shelf, target: Path, told: Told) -> None:
    if target.is_dir():
        _check_paths(upload, target)
        _link_all(upload, shelf.contents, target, told)
        flush_file_system(target)
        return
    build = shelf.place.building / f"data-{target.name}-{upload.folder.name}"
    shelf.removal.take(build)
    build.mkdir(mode=0o750)
    _link_all(upload, shelf.contents, build, told)
    flush_file_system(build)
    build.rename(target)
    flush_folder(shelf.place.data)


def _check_paths(upload: Upload, target: Path) -> None:
    """Refuse before anything is linked what the item has already."""
    for row in upload.rows():
        try:
            seen = os.lstat(target / row.path)
        except FileNotFoundError:
            continue
        except NotADirectoryError:
            raise _taken(row.path) from None
        if not _is_ours(upload, row, seen):
            raise _taken(row.path)


def _is_ours(upload: Upload, row: Row, seen: os.stat_result) -> bool:
    """Tell whether a file of the item is from this upload: it was interrupted."""
    if not row.size:
        return seen.st_size == 0 and upload.fact("linking") == "yes"
    return os.lstat(upload.path_of(row.number)).st_ino == seen.st_ino


def _link_all(upload: Upload, contents: Contents, target: Path, told: Told) -> None:
    upload.set_state(PUBLISHING, linking="yes")
    done = [0]

    def link(batch: _Batch) -> tuple[()]:
        _link(upload, contents, batch)
        done[0] += len(batch.rows)
        return ()

    for some in _portions(_batches(upload, target)):
        Spread(some, link).run()
        told(done[0], upload.whole.files)


def _batches(upload: Upload, target: Path) -> Iterator[_Batch]:
    for folder, rows in groupby(upload.rows(), lambda row: row.path.rpartition("/")[0]):
        found = list(rows)
        for first in range(0, len(found), _TOGETHER):
            some = tuple(found[first : first + _TOGETHER])
            yield _Batch(f"{target}/{folder}" if folder else str(target), some)


def _portions(batches: Iterator[_Batch]) -> Iterator[list[_Batch]]:
    """Yield batches by about 20,000 files: so many are in memory at a time."""
    portion: list[_Batch] = []
    size = 0
    for batch in batches:
        portion.append(batch)
        size += len(batch.rows)
        if size >= 20 * _TOGETHER:
            yield portion
            portion, size = [], 0
    yield portion


def _link(upload: Upload, contents: Contents, batch: _Batch) -> None:
    os.makedirs(batch.folder, mode=0o750, exist_ok=True)
    for row in batch.rows:
        target = f"{batch.folder}/{row.path.rpartition('/')[2]}"
        try:
            if row.size:
                contents.link(str(upload.path_of(row.number)), target)
            else:
                os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE))
        except FileExistsError:
            continue  # from before an interruption: `_check_paths` has looked


def _incomplete(
    files: int, size: int, announced: Published, cut: tuple[str, ...]
) -> Incomplete:
    return Incomplete(
        "Come whole: files {files} of {announced_files}, bytes {bytes} of "
        "{announced_bytes}.",
        "Send the rest, then finish the upload again.",
        cut=cut,
        files=files,
        bytes=size,
        announced_files=announced.files,
        announced_bytes=announced.bytes,
    )


def _taken(path: str) -> PathTaken:
    return PathTaken(
        f"The data item has {path!r} already.",
        "Remove it from the item first, or leave it out.",
        {"path": path},
    )
