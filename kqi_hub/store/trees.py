"""Trees of datasets: real folders, hard-linked files, built once for each key."""

import json
import os
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from kqi_hub.domain.data import FLAT, Placed
from kqi_hub.domain.data_paths import checked_path
from kqi_hub.domain.data_ports import Told, Tree
from kqi_hub.domain.errors import NotFound
from kqi_hub.store.contents import MODE, Contents
from kqi_hub.store.errors import WrongBody, telling_full_disk
from kqi_hub.store.places import Place
from kqi_hub.store.publishing import Shelf
from kqi_hub.store.spreading import Spread

META: Final = "meta.json"
# Beside each tree lies what says that it is whole, and how much it is.
MARKED: Final = ".json"


@dataclass(frozen=True, slots=True)
class Counted:
    """What a tree has."""

    files: int
    bytes: int


class Trees:
    """Every tenant's trees; one key is built by one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._building: dict[str, tuple[threading.Lock, int]] = {}

    def find(self, place: Place, key: str) -> Tree | None:
        """Return a tree that is whole."""
        folder, counted = place.tree(key), _read(_marker(place, key))
        if counted is None or not folder.is_dir():
            return None
        return Tree(str(folder), counted.files, counted.bytes, built=False)

    def build(
        self,
        shelf: Shelf,
        key: str,
        placed: Sequence[Placed],
        meta: Mapping[str, Any],
        told: Told,
    ) -> Tree:
        """Return a tree, built if there is none of this key."""
        place = shelf.place
        place.tree(key)
        with self._only_one(f"{place.tenant}/{key}"), telling_full_disk():
            found = self.find(place, key)
            if found is not None:
                return found
            counted = _build(shelf, key, placed, meta, told)
        return Tree(str(place.tree(key)), counted.files, counted.bytes, built=True)

    def drop(self, shelf: Shelf, key: str) -> None:
        """Remove a tree."""
        with self._only_one(f"{shelf.place.tenant}/{key}"):
            folder = shelf.place.tree(key)
            _marker(shelf.place, key).unlink(missing_ok=True)
            shelf.removal.take(folder)

    def _only_one(self, name: str) -> "_Turn":
        return _Turn(self._lock, self._building, name)


class _Turn:
    """Hold a lock of this name, which is forgotten when nobody wants it."""

    def __init__(
        self,
        lock: threading.Lock,
        known: dict[str, tuple[threading.Lock, int]],
        name: str,
    ) -> None:
        self._lock, self._known, self._name = lock, known, name

    def __enter__(self) -> None:
        with self._lock:
            turn, waiting = self._known.get(self._name, (threading.Lock(), 0))
            self._known[self._name] = (turn, waiting + 1)
        turn.acquire()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            turn, waiting = self._known[self._name]
            turn.release()
            if waiting == 1:
                del self._known[self._name]
            else:
                self._known[self._name] = (turn, waiting - 1)


def _build(
    shelf: Shelf,
    key: str,
    placed: Sequence[Placed],
    meta: Mapping[str, Any],
    told: Told,
) -> Counted:
    place = shelf.place
    build = place.building / f"tree-{key}-{secrets.token_hex(4)}"
    build.mkdir(mode=0o750)
    try:
        counted = _link_all(shelf.contents, _pairs(place, build, placed), told)
        _write(build / META, meta)
        marker = place.building / f"{build.name}.json"
        _write(marker, asdict(counted))
        marker.rename(_marker(place, key))
        # A folder without its marker is of no use to anybody: it was being removed.
        shelf.removal.take(place.tree(key))
        build.rename(place.tree(key))
    except BaseException:
        shelf.removal.take(build)
        raise
    return counted


def _pairs(
    place: Place, build: Path, placed: Sequence[Placed]
) -> Iterator[tuple[str, str]]:
    """Yield source and target folder of each item; the targets are made here."""
    made = {FLAT: str(build)}
    for one in placed:
        if one.type not in made:
            made[one.type] = f"{build}/{_checked_type(one.type)}"
            os.mkdir(made[one.type], 0o750)
        source = place.item(one.data_id)
        if not source.is_dir():
            raise NotFound("Data item {data} is not in the store.", data=one.data_id)
        yield str(source), f"{made[one.type]}/{one.data_id}"


def _checked_type(name: str) -> str:
    if "/" in name or name == META or not isinstance(name, str):
        raise WrongBody("This is no name of a dataset's type.")
    return checked_path(name)


def _link_all(
    contents: Contents, pairs: Iterator[tuple[str, str]], told: Told
) -> Counted:
    lock = threading.Lock()
    files = size = 0

    def link(pair: tuple[str, str]) -> list[tuple[str, str]]:
        nonlocal files, size
        found, below = _link_folder(contents, *pair)
        with lock:
            files, size = files + found.files, size + found.bytes
        return below

    Spread(pairs, link).run(lambda: told(files, 0))
    return Counted(files, size)


def _link_folder(
    contents: Contents, source: str, target: str
) -> tuple[Counted, list[tuple[str, str]]]:
    """Link a folder's files into a new folder; its own folders come next."""
    os.mkdir(target, 0o750)
    below: list[tuple[str, str]] = []
    files = size = 0
    old = os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    new = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with os.scandir(old) as entries:
            for entry in entries:
                name = entry.name
                if entry.is_dir(follow_symlinks=False):
                    below.append((f"{source}/{name}", f"{target}/{name}"))
                    continue
                try:
                    # By descriptors: the kernel walks no long paths 100,000 times.
                    os.link(
                        name, name, src_dir_fd=old, dst_dir_fd=new,
                        follow_symlinks=False,
                    )  # fmt: skip
                except OSError:
                    # No room for another link, or a real error: this tells which.
                    contents.link(f"{source}/{name}", f"{target}/{name}")
                files += 1
                size += entry.stat(follow_symlinks=False).st_size
    finally:
        os.close(old)
        os.close(new)
    return Counted(files, size), below


def _marker(place: Place, key: str) -> Path:
    return place.trees / f"{key}{MARKED}"


def _read(marker: Path) -> Counted | None:
    try:
        return Counted(**json.loads(marker.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _write(path: Path, value: object) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file, ensure_ascii=False)
