"""What data items ask of the database, as a protocol, and what it answers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from kqi_hub.domain.data import DataItem, StoredFile, StoreUse
from kqi_hub.domain.data_list import DataFilter


@dataclass(frozen=True, slots=True)
class KnownTag:
    """A tag that data of a tenant have, and how many of them."""

    name: str
    items: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What is in a folder of a data item: a file, or a folder, which has no size."""

    name: str
    is_folder: bool
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class PersonUse:
    """What one person has made in a tenant."""

    person: str
    use: StoreUse


@dataclass(frozen=True, slots=True)
class Removal:
    """Files that left an item and are still in the store."""

    data_id: int
    tenant: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What store and database of a tenant disagreed about when they were compared.

    `trouble` says why they could not be.
    """

    tenant: str
    at: float
    strays: int = 0
    stray_bytes: int = 0
    missing: tuple[int, ...] = ()
    trouble: str = ""


class DataStore(Protocol):
    """Data items and their files in the database. Blocks: call it off the loop.

    Unknown numbers raise NotFound. What KX-53 forbids raises Blocked, in the same
    transaction as the change: nobody can lock an item in between.
    """

    def search(self, wanted: DataFilter) -> tuple[DataItem, ...]:
        """Return the page of those READY items that a filter lets through."""

    def count(self, wanted: DataFilter) -> int:
        """Return how many a filter lets through."""

    def one(self, data_id: int) -> DataItem | None:
        """Return one, whatever its state."""

    def many(self, data_ids: Collection[int]) -> tuple[DataItem, ...]:
        """Return those of these that are there, by number."""

    def change(
        self, data_id: int, name: str, memo: str, seen_at: float, now: float
    ) -> DataItem:
        """Replace name and memo; Conflict if it changed after `seen_at`."""

    def retag(
        self, data_id: int, add: Sequence[str], remove: Sequence[str], now: float
    ) -> DataItem:
        """Add and remove tags; what is there, or not, already is no error."""

    def known_tags(self, tenant: str) -> tuple[KnownTag, ...]:
        """Return the tags that READY items of a tenant have, by name."""

    def files(
        self, data_id: int, after: str = "", limit: int = 1000
    ) -> tuple[StoredFile, ...]:
        """Return a page of the files in the order of their paths' bytes."""

    def file(self, data_id: int, path: str) -> StoredFile | None:
        """Return one file."""

    def level(
        self, data_id: int, folder: str = "", after: str = "", limit: int = 1000
    ) -> tuple[Entry, ...]:
        """Return a page of what lies directly in a folder, after the name `after`."""

    def children(self, data_id: int, limit: int = 100) -> tuple[DataItem, ...]:
        """Return the READY items that were made from this one, newest first."""

    def use(self, tenant: str, person: str | None = None) -> StoreUse:
        """Count what a tenant keeps, or one person in it; no quotas in it."""

    def use_by_person(self, tenant: str) -> tuple[PersonUse, ...]:
        """Count what each person keeps in a tenant, the most bytes first."""

    def begin_removal(self, data_id: int, now: float) -> DataItem:
        """Make an item REMOVING: from then on nobody sees it; its uploads end.

        Conflict while files are being published into it. Twice is fine.
        """

    def removing(self, limit: int = 100) -> tuple[DataItem, ...]:
        """Return items whose removal has begun."""

    def forget(self, data_id: int) -> None:
        """Remove a REMOVING item for good; one that is not there is no error."""

    def take_files(self, data_id: int, paths: Sequence[str], now: float) -> DataItem:
        """Take files off an item: from then on nobody sees them.

        NotFound, and nothing is taken, when one is not there. Conflict while files
        are being added or taken.
        """

    def removals(self, before: float, limit: int = 5000) -> tuple[Removal, ...]:
        """Return files taken before a moment that are still in the store."""

    def files_gone(self, data_id: int, paths: Sequence[str]) -> None:
        """Note that files taken are no longer in the store."""

    def tenants(self) -> tuple[str, ...]:
        """Return the tenants that have data."""

    def ids(self, tenant: str) -> tuple[int, ...]:
        """Return all of a tenant's items that the store may have, of any state."""

    def compared(self, result: Comparison) -> None:
        """Keep the last comparison of a tenant."""

    def comparisons(self) -> tuple[Comparison, ...]:
        """Return the last comparison of each tenant."""
