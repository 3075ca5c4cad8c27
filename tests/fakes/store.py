"""The data store in memory: files are there as soon as they are received."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kqi_hub.domain.data import Placed, StoredFile
from kqi_hub.domain.data_ports import (
    Kept,
    Published,
    Received,
    Stray,
    Sweep,
    Told,
    Tree,
)
from kqi_hub.domain.errors import Conflict, Incomplete, NotFound, StoreUnavailable

NOW = 1_800_000_000.0


@dataclass
class FakeStore:
    """A Store without disks; `is_down` makes it silent, `fails` fails calls by name.

    `fails` maps the name of a call to errors that its next calls raise, one each.
    """

    incoming: dict[str, dict[str, StoredFile]] = field(default_factory=dict)
    data: dict[int, dict[str, StoredFile]] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)
    is_down: bool = False
    fails: dict[str, list[Exception]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    received_at: float = NOW

    def receive(self, upload: str, path: str, size: int, text: str = "") -> None:
        """Take a whole file, as if its sender had sent it."""
        digest = hashlib.sha256(f"{text}{size}".encode()).hexdigest()
        self.incoming.setdefault(upload, {})[path] = StoredFile(path, size, digest)

    async def received(
        self, tenant: str, uploads: Collection[str]
    ) -> Mapping[str, Received]:
        self._called("received")
        return {
            key: Received(len(got), _size(got.values()), self.received_at)
            for key in uploads
            if (got := self.incoming.get(key))
        }

    async def publish(
        self,
        tenant: str,
        upload: str,
        data_id: int,
        announced: Published,
        told: Told | None = None,
    ) -> Published:
        self._called("publish")
        got = self.incoming.get(upload, {})
        has = self.data.get(data_id, {})
        if (len(got), _size(got.values())) != (announced.files, announced.bytes):
            raise Incomplete("Files are missing.", "Send them, then finish again.")
        for path, one in got.items():
            if path in has and has[path] is not one:
                raise Conflict("{path} is there already.", path=path)
        self.data[data_id] = has | got
        return announced

    async def uploaded(
        self, tenant: str, upload: str, after: str = "", limit: int = 5000
    ) -> tuple[StoredFile, ...]:
        self._called("uploaded")
        got = self.incoming.get(upload, {})
        paths = sorted((p for p in got if p > after), key=str.encode)
        return tuple(got[path] for path in paths[:limit])

    async def drop(self, tenant: str, upload: str) -> None:
        self._called("drop")
        self.incoming.pop(upload, None)

    async def remove(self, tenant: str, data_id: int) -> None:
        self._called("remove")
        self.data.pop(data_id, None)

    async def remove_files(
        self, tenant: str, data_id: int, paths: Sequence[str]
    ) -> None:
        self._called("remove_files")
        for path in paths:
            self.data.get(data_id, {}).pop(path, None)

    async def tree(
        self,
        tenant: str,
        key: str,
        placed: Sequence[Placed],
        meta: Mapping[str, Any],
        told: Told | None = None,
    ) -> Tree:
        self._called("tree")
        if key in self.trees:
            return replace(self.trees[key], built=False)
        for one in placed:
            if one.data_id not in self.data:
                raise NotFound("Data {id} are not in the store.", id=one.data_id)
        files = [f for one in placed for f in self.data[one.data_id].values()]
        self.trees[key] = Tree(
            f"/store/{tenant}/trees/{key}", len(files), _size(files), built=True
        )
        return self.trees[key]

    async def find_tree(self, tenant: str, key: str) -> Tree | None:
        self._called("find_tree")
        found = self.trees.get(key)
        return None if found is None else replace(found, built=False)

    async def drop_tree(self, tenant: str, key: str) -> None:
        self._called("drop_tree")
        self.trees.pop(key, None)

    async def kept(self, tenant: str) -> Kept:
        self._called("kept")
        contents = {
            one.sha256: one.size for got in self.data.values() for one in got.values()
        }
        incoming = sum(map(_size, (one.values() for one in self.incoming.values())))
        return Kept(len(contents), sum(contents.values()), incoming, 10**12)

    async def sweep(
        self,
        tenant: str,
        uploads: Collection[str],
        data: Collection[int],
        trees: Collection[str],
        remove: bool = False,
    ) -> Sweep:
        self._called("sweep")
        strays = [
            *(
                Stray("incoming", key, _size(got.values()))
                for key, got in self.incoming.items()
                if key not in uploads
            ),
            *(
                Stray("data", str(key), _size(got.values()))
                for key, got in self.data.items()
                if key not in data
            ),
            *(Stray("trees", key, 0) for key in self.trees if key not in trees),
        ]
        return Sweep(tuple(strays), tuple(one for one in data if one not in self.data))

    async def health(self) -> Mapping[str, Any]:
        self._called("health")
        return {"ok": True}

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.is_down:
            raise StoreUnavailable("The data store does not answer.", "Try again.")
        if self.fails.get(name):
            raise self.fails[name].pop(0)


def _size(files: Iterable[StoredFile]) -> int:
    return sum(one.size for one in files)
