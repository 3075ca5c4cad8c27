"""What taking in accounting's records asks of others: a reader, a store, a book."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from kqi_hub.domain.job_records import JobRecord

T_contra = TypeVar("T_contra", contravariant=True)
# What a node has, by its name, as node_shapes keeps it: CPUs, MB, GPUs by type.
NodeHas = tuple[int, int, str]


class Recorded(NamedTuple):
    """A record that is kept, under its number, with what it was until now.

    `kind` is what the job is for. `before` is None for one that is new.
    """

    id: int
    record: JobRecord
    kind: str
    before: "Recorded | None" = None


class ReadRecord(NamedTuple):
    """A record as it was read; `hash` is another one as soon as anything of it is."""

    record: JobRecord
    hash: int


class Book(Protocol[T_contra]):
    """Where use becomes money. Blocks."""

    def post(
        self, transaction: T_contra, changed: Sequence[Recorded], now: float
    ) -> int:
        """Add the lines for what is new or changed; return how many.

        Nothing is committed: what calls it does that, for its records and the lines
        together.
        """


class UsageReader(Protocol):
    """Accounting's records; raises ClusterError as a ClusterReader does."""

    def usage(
        self, since: int, until: int
    ) -> AsyncGenerator[Sequence[ReadRecord], None]:
        """Yield every run that existed at some time in between, in batches."""

    async def suspended(
        self, job_ids: Sequence[int], since: int, until: int
    ) -> Mapping[tuple[int, int], int]:
        """Return by job and submit time how long each was suspended in between.

        To the second: what lies outside of the time is left out.
        """


class Progress(NamedTuple):
    """How far accounting has been read, in epoch seconds; None: not begun.

    From `filled_back_to` to `read_until` everything is there; the rest down to
    `fill_back_to` is still to come.
    """

    read_until: int | None = None
    fill_back_to: int | None = None
    filled_back_to: int | None = None
    nightly_at: int | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether all the history that was wanted is there."""
        back_to, filled = self.fill_back_to, self.filled_back_to
        return back_to is not None and filled is not None and filled <= back_to


class TakenIn(NamedTuple):
    """What became of records: how many were read, new, changed; lines of the book."""

    read: int = 0
    new: int = 0
    changed: int = 0
    lines: int = 0

    def plus(self, other: "TakenIn") -> "TakenIn":
        """Return both together."""
        return TakenIn(*(a + b for a, b in zip(self, other, strict=True)))


class RecordStore(Protocol):
    """Where records are kept; any thread may call it. Blocks."""

    def unknown(self, read: Sequence[ReadRecord]) -> list[ReadRecord]:
        """Return those that are not there, or are there with another hash."""

    def take_in(self, read: Sequence[ReadRecord], now: float) -> TakenIn:
        """Keep them and post what is new or changed, all of it or nothing."""

    def progress(self) -> Progress:
        """Return how far accounting has been read."""

    def note(self, **changes: int) -> None:
        """Write down fields of Progress."""


class ShapeStore(Protocol):
    """Where it is kept what nodes had, and since when. Blocks."""

    def add(self, nodes: Mapping[str, NodeHas], now: int) -> int:
        """Keep those that are new or different from now on; return how many."""
