"""What data ask of the store and of the database, as narrow protocols."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kqi_hub.domain.data import Placed, StoredFile


@dataclass(frozen=True, slots=True)
class Received:
    """How far an upload is in the store; `last_at` is when its last byte came."""

    files: int
    bytes: int
    last_at: float


@dataclass(frozen=True, slots=True)
class Published:
    """What a data item has from one upload."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Tree:
    """A dataset's folder in the store; `built`: it was not there before."""

    path: str
    files: int
    bytes: int
    built: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What a tenant has in the store, by the disk, and the room there is left.

    `content_bytes` counts each content once, `incoming_bytes` is what belongs to
    uploads under way.
    """

    contents: int
    content_bytes: int
    incoming_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Stray:
    """Something in the store that nobody counts on; `kind` names its folder."""

    kind: str
    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """What store and database disagree about: too much here, missing there."""

    strays: tuple[Stray, ...]
    missing_data: tuple[int, ...]


# Told how many files of how many are done.
Told = Callable[[int, int], None]


class Store(Protocol):
    """The data store, asked as the portal. Every call may be repeated.

    Raises StoreUnavailable (nothing or a part of it may have happened: ask again),
    StoreFull, StoreError, and what is named below.
    """

    async def received(
        self, tenant: str, uploads: Collection[str]
    ) -> Mapping[str, Received]:
        """Return how far uploads are; one that nothing came for is left out."""

    async def publish(
        self,
        tenant: str,
        upload: str,
        data_id: int,
        announced: Published,
        told: Told | None = None,
    ) -> Published:
        """Put an upload's files into a data item, all of them or none.

        Raises Incomplete when files are missing or cut off, Conflict when the item
        has a file of the same path already. The upload's list stays until `drop`.
        """

    async def uploaded(
        self, tenant: str, upload: str, after: str = "", limit: int = 5000
    ) -> tuple[StoredFile, ...]:
        """Return an upload's whole files in the order of their paths, a page."""

    async def drop(self, tenant: str, upload: str) -> None:
        """Forget an upload and what came for it; published files stay."""

    async def remove(self, tenant: str, data_id: int) -> None:
        """Remove a data item; the space is free a little later."""

    async def remove_files(
        self, tenant: str, data_id: int, paths: Sequence[str]
    ) -> None:
        """Remove files of a data item; one that is not there is no error."""

    async def tree(
        self,
        tenant: str,
        key: str,
        placed: Sequence[Placed],
        meta: Mapping[str, Any],
        told: Told | None = None,
    ) -> Tree:
        """Return a dataset's folder, built if this key has none yet.

        The key, 40 hex digits, stands for items and versions: the same key is the
        same folder. `meta` becomes meta.json when it is built. Raises NotFound when
        an item is not in the store.
        """

    async def find_tree(self, tenant: str, key: str) -> Tree | None:
        """Return a dataset's folder if it has been built."""

    async def drop_tree(self, tenant: str, key: str) -> None:
        """Remove a dataset's folder; no job may use it any more."""

    async def kept(self, tenant: str) -> Kept:
        """Count what a tenant has on the disk; may take seconds."""

    async def sweep(
        self,
        tenant: str,
        uploads: Collection[str],
        data: Collection[int],
        trees: Collection[str],
        remove: bool = False,
    ) -> Sweep:
        """Tell what the store has beside these, and of these has not.

        Things of the last hour are passed over: they may be too new to be known.
        """

    async def health(self) -> Mapping[str, Any]:
        """Return what the store says of itself."""
