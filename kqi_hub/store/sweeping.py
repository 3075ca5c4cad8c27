"""Find what nobody counts on, and what somebody counts on that is not here."""

import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kqi_hub.domain.data_ports import Stray, Sweep
from kqi_hub.store.places import Place
from kqi_hub.store.publishing import Shelf
from kqi_hub.store.trees import MARKED
from kqi_hub.store.uploads import is_upload

# What is younger may have been made after the caller looked at its list.
YOUNG_S: Final = 3600.0
Drop = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Known:
    """What the database has of a tenant."""

    uploads: Collection[str]
    data: Collection[int]
    trees: Collection[str]


def sweep(shelf: Shelf, known: Known, older_than_s: float = YOUNG_S) -> Sweep:
    """Compare; nothing is removed."""
    place = shelf.place
    latest = time.time() - older_than_s
    data = {str(one) for one in known.data}
    strays = [
        *_beside(place.incoming, "upload", set(known.uploads), latest),
        *_beside(place.data, "data", data, latest),
        *_trees(place, known.trees, latest),
        *_beside(place.building, "building", set(), latest),
        *_unused(shelf, latest),
    ]
    with os.scandir(place.data) as entries:
        here = {entry.name for entry in entries}
    missing = sorted(int(one) for one in data - here)
    return Sweep(tuple(strays), tuple(missing))


def remove(shelf: Shelf, strays: Collection[Stray], drop_upload: Drop) -> None:
    """Remove what was found."""
    place = shelf.place
    folders = {"data": place.data, "tree": place.trees, "building": place.building}
    for stray in strays:
        if stray.kind == "content":
            shelf.contents.drop(stray.name)
        elif stray.kind == "upload" and is_upload(stray.name):
            drop_upload(place.tenant, stray.name)
        else:
            if stray.kind == "tree":
                (place.trees / f"{stray.name}{MARKED}").unlink(missing_ok=True)
            folder = folders.get(stray.kind, place.incoming)
            shelf.removal.take(folder / stray.name)


def _beside(
    folder: Path, kind: str, known: Collection[str], latest: float
) -> Iterator[Stray]:
    with os.scandir(folder) as entries:
        found = [entry for entry in entries if entry.name not in known]
    for entry in found:
        seen = entry.stat(follow_symlinks=False)
        if max(seen.st_mtime, seen.st_ctime) <= latest and not _is_mark(entry.name):
            yield Stray(kind, entry.name, _bytes_below(entry))


def _is_mark(name: str) -> bool:
    return name.endswith(".gone")


def _unused(shelf: Shelf, latest: float) -> Iterator[Stray]:
    for name, size, changed in shelf.contents.unused():
        if changed <= latest:
            yield Stray("content", name, size)


def _trees(place: Place, known: Collection[str], latest: float) -> Iterator[Stray]:
    """Find trees, and markers of trees: a marker goes with its tree."""
    found = list(_beside(place.trees, "tree", set(known), latest))
    with os.scandir(place.trees) as entries:
        folders = {entry.name for entry in entries if entry.is_dir()}
    for stray in found:
        key = stray.name.removesuffix(MARKED)
        if key == stray.name or key not in folders:
            yield stray


def _bytes_below(entry: "os.DirEntry[str]") -> int:
    if not entry.is_dir(follow_symlinks=False):
        return entry.stat(follow_symlinks=False).st_size
    total = 0
    for _, _, names, folder in os.fwalk(entry.path):
        for name in names:
            total += os.stat(name, dir_fd=folder, follow_symlinks=False).st_size
    return total
