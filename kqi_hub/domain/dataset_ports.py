"""What datasets, lineage and trees ask of the database, as protocols.

All of these block: call them off the loop.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from kqi_hub.domain.data import Dataset, Placed, Thing, Use
from kqi_hub.domain.dataset_list import DatasetFilter
from kqi_hub.domain.datasets import NewDataset


@dataclass(frozen=True, slots=True)
class DatasetItem:
    """A data item where it is in a dataset."""

    placed: Placed
    name: str
    tags: tuple[str, ...]
    files: int
    bytes: int
    version: int


@dataclass(frozen=True, slots=True)
class PathPair:
    """Where a job finds a file, and which file of which item that is (KX-59)."""

    path: str
    data_id: int
    data_name: str
    data_path: str
    size: int
    type: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a page of a list ended; the next one is asked for with it."""

    type: str
    data_id: int
    path: str = ""


_SESSION: Final = "session:"
_RUN: Final = "run:"


class DatasetStore(Protocol):
    """Datasets and what is in them.

    Changes of one tenant's data and datasets happen one after the other; unknown
    numbers raise NotFound, entries that are not READY data of the same tenant
    InvalidInput naming the first.
    """

    def create(self, new: NewDataset, person: str, now: float) -> Dataset:
        """Add one."""

    def one(self, dataset_id: int) -> Dataset | None:
        """Return one, whoever's it is."""

    def search(self, wanted: DatasetFilter) -> tuple[Dataset, ...]:
        """Return a page of those that a filter lets through."""

    def count(self, wanted: DatasetFilter) -> int:
        """Return how many a filter lets through."""

    def rename(self, dataset_id: int, name: str, memo: str, now: float) -> Dataset:
        """Change name and memo, locked or not."""

    def replace(
        self, dataset_id: int, entries: Sequence[Placed], seen_at: float, now: float
    ) -> Dataset:
        """Replace all entries; Conflict if it is locked or changed after `seen_at`."""

    def delete(self, dataset_id: int) -> None:
        """Remove it; Conflict while it is locked."""

    def placed(self, dataset_id: int) -> tuple[Placed, ...]:
        """Return all entries, by type and number."""

    def items(
        self,
        dataset_id: int,
        type_: str | None = None,
        after: Seen | None = None,
        limit: int = 100,
    ) -> tuple[DatasetItem, ...]:
        """Return a page of the items, by type and number."""

    def count_by_type(self, dataset_id: int) -> Mapping[str, int]:
        """Return how many items each type has; a type without any lacks."""

    def paths(
        self, dataset_id: int, after: Seen | None = None, limit: int = 100
    ) -> tuple[PathPair, ...]:
        """Return a page of the files, by type, item and path."""

    def types(self, tenant: str) -> tuple[str, ...]:
        """Return a tenant's types; the usual ones until it chooses its own."""

    def set_types(self, tenant: str, types: Sequence[str]) -> None:
        """Replace a tenant's types; Conflict while a dataset uses one that is left out.

        Datasets keep what they have.
        """


class UseStore(Protocol):
    """Who made what from what, and what may not change for it."""

    def record(self, use: Use) -> None:
        """Note a use; the same once more keeps its first time, and may add a lock."""

    def lock(self, dataset_id: int, by: Thing, now: float) -> None:
        """Note a use that locks the dataset; twice is fine.

        NotFound for an unknown dataset; Conflict when an item of it is gone, or files
        are being added to one.
        """

    def release(self, dataset_id: int, by: Thing) -> None:
        """Let go of a lock and of the use; one that is not there is no error."""

    def locks(self, dataset_id: int, limit: int = 20) -> tuple[Use, ...]:
        """Return what locks a dataset, oldest first."""

    def forget_uses(self, of: Thing) -> None:
        """Remove every use by a thing and of it: it is deleted."""


@dataclass(frozen=True, slots=True)
class Edge:
    """`made` was made from, or used, `source`."""

    source: Thing
    made: Thing


@dataclass(frozen=True, slots=True)
class Node:
    """One thing of the graph.

    One that is no longer there has `is_gone`. What a notebook is called, only its owner
    is told; of a commit, tenant and person are empty.
    """

    thing: Thing
    name: str = ""
    tenant: str = ""
    person: str = ""
    at: float | None = None
    is_locked: bool = False
    is_gone: bool = False


class LineageStore(Protocol):
    """The graph, asked a level at a time, so that depth costs few questions."""

    def sources(
        self, things: Collection[Thing], most_each: int
    ) -> Mapping[Thing, "Beside"]:
        """Return from what each of these was made, newest first."""

    def results(
        self, things: Collection[Thing], most_each: int
    ) -> Mapping[Thing, "Beside"]:
        """Return what was made from each of these, newest first."""

    def nodes(self, things: Collection[Thing]) -> Mapping[Thing, Node]:
        """Return what is known of each of these."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The neighbours of a thing in one direction; `total` counts those left out too."""

    things: tuple[Thing, ...]
    total: int


class Why(StrEnum):
    """Why a data item or a dataset may not change or go (KX-53, KX-58)."""

    IN_LOCKED_DATASET = "in-locked-dataset"
    PREPROCESSED = "preprocessed"
    GENERATED = "generated"
    USED = "used"  # a dataset, by what locks it


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing that keeps another from changing; `name` is for people."""

    thing: Thing
    why: Why
    name: str = ""


class Blockers(Protocol):
    """What keeps data items from being changed or deleted."""

    def of_data(
        self, data_ids: Collection[int], most_each: int = 20
    ) -> Mapping[int, tuple[Blocker, ...]]:
        """Return the blockers of each item that has any."""

    def of_dataset(self, dataset_id: int, most: int = 20) -> tuple[Blocker, ...]:
        """Return what locks a dataset."""


class TreeState(StrEnum):
    """How far a dataset's tree at the store is."""

    READY = "ready"
    REMOVING = "removing"


@dataclass(frozen=True, slots=True)
class TreeNote:
    """What is known of a dataset's tree at the store, named by its content."""

    tenant: str
    key: str
    dataset_id: int
    state: TreeState
    files: int
    bytes: int
    built_at: float
    used_at: float


@dataclass(frozen=True, slots=True)
class Content:
    """What a dataset holds at one moment, and the key of its tree if that is known.

    `stamp` differs whenever the content does. `busy` is an item that files are being
    added to, or taken from.
    """

    dataset: Dataset
    stamp: str
    key: str | None
    busy: int | None = None


def session_holder(session_id: int) -> str:
    """Return the name under which a notebook's session holds a tree."""
    return f"{_SESSION}{session_id}"


def session_of_holder(holder: str) -> int | None:
    """Return the notebook's session that a holder is, None if it is something else."""
    number = holder.removeprefix(_SESSION)
    return int(number) if holder != number and number.isdecimal() else None


def run_holder(run_id: int) -> str:
    """Return the name under which a run holds a tree."""
    return f"{_RUN}{run_id}"


def run_of_holder(holder: str) -> int | None:
    """Return the run that a holder is, None if it is something else."""
    number = holder.removeprefix(_RUN)
    return int(number) if holder != number and number.isdecimal() else None


class TreeStore(Protocol):
    """Which trees there are, and who holds them.

    A holder is a word for a thing that runs, such as that of `session_holder`.
    """

    def content(self, dataset_id: int) -> Content | None:
        """Return a dataset's content, quickly whatever its size."""

    def versions(self, dataset_id: int) -> tuple[tuple[Placed, int], ...]:
        """Return every entry with its item's version."""

    def remember_key(self, dataset_id: int, stamp: str, key: str) -> None:
        """Keep the key of a content, for the next time."""

    def tree(self, tenant: str, key: str) -> TreeNote | None:
        """Return one."""

    def use(self, tenant: str, key: str, holder: str | None, now: float) -> bool:
        """Note a use, and who holds the tree until released; False if none is ready."""

    def built(self, tree: TreeNote) -> None:
        """Note a tree that the store has made."""

    def release_trees(self, holder: str, now: float) -> None:
        """Let go of whatever a thing holds; nothing held is no error."""

    def holders(self) -> tuple[str, ...]:
        """Return everything that holds a tree."""

    def unused(self, before: float, limit: int = 100) -> tuple[TreeNote, ...]:
        """Return trees last used before a moment that nobody holds.

        The present tree of a locked dataset is none of them.
        """

    def begin_removal(self, tenant: str, key: str, before: float) -> bool:
        """Take a tree out of use; False if somebody uses it again meanwhile."""

    def removing(self) -> tuple[TreeNote, ...]:
        """Return trees whose removal has begun."""

    def forget(self, tenant: str, key: str) -> None:
        """Remove the note of a tree that is no longer there."""

    def keys(self, tenant: str) -> tuple[str, ...]:
        """Return the keys of a tenant's trees, for comparing with the store."""
