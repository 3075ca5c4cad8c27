"""Everything that the store does, for both of its faces; every method blocks."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kqi_hub import __version__
from kqi_hub.domain import tickets
from kqi_hub.domain.data import Placed, StoredFile
from kqi_hub.domain.data_ports import Kept, Published, Received, Sweep, Told, Tree
from kqi_hub.domain.errors import NotFound
from kqi_hub.store import publishing, sweeping
from kqi_hub.store.places import Root
from kqi_hub.store.publishing import Shelf
from kqi_hub.store.sweeping import YOUNG_S, Known
from kqi_hub.store.tenants import Tenants
from kqi_hub.store.trees import Trees
from kqi_hub.store.uploads import Uploads

MOST_IN_A_PAGE: Final = 5000


class House:
    """The store's disk."""

    def __init__(self, root: Path) -> None:
        self.root = Root(root)
        self.tenants = Tenants(self.root)
        self.uploads = Uploads(self.tenants)
        self._trees = Trees()

    def received(self, tenant: str, uploads: Collection[str]) -> dict[str, Received]:
        """Return how far uploads are; one that nothing came for is left out."""
        found = {}
        for key in uploads:
            try:
                with self.uploads.using(tenant, key) as upload:
                    seen = upload.progress
            except NotFound:
                continue
            found[key] = Received(seen.files, seen.bytes, seen.last_at)
        return found

    def publish(
        self, tenant: str, key: str, data_id: int, announced: Published, told: Told
    ) -> Published:
        """Put an upload's files into a data item, all of them or none."""
        with self.uploads.for_publishing(tenant, key, announced) as upload:
            return publishing.publish(
                upload, self._shelf(tenant), data_id, announced, told
            )

    def uploaded(
        self, tenant: str, key: str, after: str, limit: int
    ) -> tuple[StoredFile, ...]:
        """Return an upload's whole files, a page."""
        with self.uploads.using(tenant, key) as upload:
            return upload.uploaded(after, min(limit, MOST_IN_A_PAGE))

    def drop(self, tenant: str, key: str) -> None:
        """Forget an upload and what came for it."""
        self.uploads.drop(tenant, key)

    def remove(self, tenant: str, data_id: int) -> None:
        """Remove a data item."""
        shelf = self._shelf(tenant)
        shelf.removal.take(shelf.place.item(data_id))

    def remove_files(self, tenant: str, data_id: int, paths: Sequence[str]) -> None:
        """Remove files of a data item, and the folders that are empty then."""
        shelf = self._shelf(tenant)
        item = shelf.place.item(data_id)
        for path in paths:
            shelf.removal.unlink(item / path)
            _remove_empty(item, Path(path).parent)
        shelf.removal.free()

    def tree(
        self,
        tenant: str,
        key: str,
        placed: Sequence[Placed],
        meta: Mapping[str, Any],
        told: Told,
    ) -> Tree:
        """Return a dataset's folder, built if this key has none yet."""
        return self._trees.build(self._shelf(tenant), key, placed, meta, told)

    def find_tree(self, tenant: str, key: str) -> Tree | None:
        """Return a dataset's folder if it has been built."""
        return self._trees.find(self.tenants.place(tenant), key)

    def drop_tree(self, tenant: str, key: str) -> None:
        """Remove a dataset's folder."""
        self._trees.drop(self._shelf(tenant), key)

    def kept(self, tenant: str) -> Kept:
        """Count what a tenant has on the disk."""
        place = self.tenants.place(tenant)
        contents, size = self.tenants.contents(tenant).count()
        came = self.received(tenant, self.uploads.keys(place)).values()
        room = os.statvfs(place.path)
        return Kept(
            contents,
            size,
            sum(one.bytes for one in came),
            room.f_bavail * room.f_frsize,
        )

    def sweep(
        self, tenant: str, known: Known, remove: bool, older_than_s: float = YOUNG_S
    ) -> Sweep:
        """Tell what nobody counts on, and remove it if asked to."""
        shelf = self._shelf(tenant)
        found = sweeping.sweep(shelf, known, older_than_s)
        if remove:
            sweeping.remove(shelf, found.strays, self.uploads.drop)
            self.uploads.forget_marks(shelf.place, 2 * tickets.LIFETIME_S)
        return found

    def health(self) -> dict[str, Any]:
        """Return what an operator wants to know."""
        room = os.statvfs(self.root.path)
        return {
            "version": __version__,
            "root": str(self.root.path),
            "tenants": self.root.tenants(),
            "free_bytes": room.f_bavail * room.f_frsize,
            "total_bytes": room.f_blocks * room.f_frsize,
            "free_inodes": room.f_favail,
        }

    def _shelf(self, tenant: str) -> Shelf:
        return Shelf(
            self.tenants.place(tenant),
            self.tenants.contents(tenant),
            self.tenants.removal(tenant),
        )


def _remove_empty(item: Path, folder: Path) -> None:
    """Remove a folder and those above it, as far as nothing is left in them."""
    for one in (folder, *folder.parents):
        if one == Path():
            return
        try:
            (item / one).rmdir()
        except OSError:
            return
