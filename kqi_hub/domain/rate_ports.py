"""What publishing rates asks of others: where cards are kept, the book, past runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.node_shapes import NodeShapes
from kqi_hub.domain.rate_cards import RateCard
from kqi_hub.domain.site_days import Period


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card to publish; `from_at` is said in the document, too."""

    from_at: int
    document: str
    author: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """A card with who published it when.

    `posted_at` is None as long as use since its beginning is in the book at other
    rates; `withdrawn_at` says since when it does not count.
    """

    card: RateCard
    document: str
    author: str
    note: str
    published_at: float
    posted_at: float | None = None
    withdrawn_at: float | None = None

    @property
    def is_withdrawn(self) -> bool:
        """Tell whether it has been taken back before it counted."""
        return self.withdrawn_at is not None


class Standing(NamedTuple):
    """Tells whether anything changed: the newest version, how many are withdrawn."""

    newest: int = 0
    withdrawn: int = 0
    shapes: int = 0


class RateStore(Protocol):
    """Where cards are kept, of one cluster. Every method blocks; any thread."""

    def standing(self) -> Standing:
        """Return what changes with every change, cheaply."""

    def cards(self) -> tuple[Published, ...]:
        """Return all, withdrawn ones too, the newest version first."""

    def shapes(self) -> NodeShapes:
        """Return what nodes have and had."""

    def publish(self, new: NewCard, known: Standing, now: float) -> int:
        """Keep a card and return its version.

        Conflict if anything changed since `known`, or its beginning lies in a month
        that is closed.
        """

    def withdraw(self, version: int, now: float) -> None:
        """Take back a card that has not begun; NotFound or Conflict otherwise."""

    def mark_posted(self, versions: Sequence[int], now: float) -> None:
        """Write down that the book has counted them."""

    def last_closed(self) -> Period | None:
        """Return the newest month that is closed."""


class PastRuns(Protocol):
    """Runs that are over. Blocks."""

    def ended_since(self, moment: int) -> Iterator[JobRecord]:
        """Yield every run that ended after a moment."""


class Reposting(Protocol):
    """The book of charges, as far as new rates concern it. Blocks."""

    def repost(self, since: int) -> int:
        """Post use of open months since a moment again; return the lines added."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What use comes to, before and after a change of rates."""

    before: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class Effect:
    """What new rates make of use since `begins`.

    `is_real`: that use will cost so; else it is a comparison with the month so far, as
    if they had counted. `unpriced` are runs that would have no price.
    """

    begins: int
    is_real: bool
    runs: int = 0
    unpriced: int = 0
    tenants: Mapping[str, Sums] = field(default_factory=dict)

    @property
    def total(self) -> Sums:
        """Return all tenants together."""
        every = self.tenants.values()
        return Sums(sum(x.before for x in every), sum(x.after for x in every))
