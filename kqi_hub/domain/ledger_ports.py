"""What closing months, giving credit and proving the book ask of its store."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from kqi_hub.domain.accounting_ports import TakenIn
from kqi_hub.domain.ledger import Entry
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.site_days import Day, Period


class MonthBill(NamedTuple):
    """What a tenant's lines of a month come to; `allowance` is what closing gives."""

    tenant: str
    charged: int
    corrected: int
    credited: int
    allowance: int = 0

    @property
    def total(self) -> int:
        """Return what is to be paid when the month is closed."""
        return self.charged + self.corrected + self.credited - self.allowance


class Closed(NamedTuple):
    """When a month was closed, and by whom."""

    at: float
    author: str


class MonthTotal(NamedTuple):
    """A month with bills in one line; `closed_at` None: it is open."""

    period: Period
    tenants: int
    total: int
    closed_at: float | None = None
    author: str = ""


@dataclass(frozen=True, slots=True)
class MonthFacts:
    """What the database knows of a month.

    `running` are runs of it that have not ended: they come on later bills. `unpriced_s`
    is use that no card has a price for. `open_before` are earlier months with money
    that are not closed. `filled_back_to` tells how far the history has been read.
    """

    period: Period
    bills: tuple[MonthBill, ...] = ()
    closed: Closed | None = None
    running: int = 0
    unpriced_s: int = 0
    open_before: tuple[Period, ...] = ()
    filled_back_to: int | None = None


@dataclass(frozen=True, slots=True)
class ClosePlan:
    """What closing a month would do; `confirmation` belongs to these very numbers.

    `obstacles` say why it cannot be closed now. `read` is what reading the month once
    more has brought.
    """

    facts: MonthFacts
    obstacles: tuple[Phrase, ...]
    confirmation: str
    read: TakenIn | None = None

    @property
    def total(self) -> int:
        """Return what all tenants are to pay."""
        return sum(bill.total for bill in self.facts.bills)


class Credit(NamedTuple):
    """Money that is given (negative) or taken, on the bill of an open month."""

    tenant: str
    period: Period
    day: Day
    amount: int
    author: str
    reason: str


class LinesAsked(NamedTuple):
    """Which lines of the book, the newest first, below `before`.

    `job`: those of every run of a job's number.
    """

    tenant: str | None = None
    period: Period | None = None
    kind: str | None = None
    job: int | None = None
    before: int | None = None
    limit: int = 100


class Fault(NamedTuple):
    """Something in the book that is not as it should be."""

    what: str
    where: str
    found: str
    wanted: str


class Proof(NamedTuple):
    """What proving the book has found; `faults` are the first of `wrong`."""

    records: int
    lines: int
    wrong: int
    faults: tuple[Fault, ...]
    mended: bool = False


class LedgerStore(Protocol):
    """The book at rest. Every method blocks; any thread."""

    def months(self) -> tuple[MonthTotal, ...]:
        """Return the months that have bills, the newest first."""

    def facts(self, period: Period) -> MonthFacts:
        """Return what is known of a month."""

    def close(
        self, known: MonthFacts, credits: Iterable[Credit], closed: Closed, notes: str
    ) -> None:
        """Close a month; Conflict if it is not as it was known any more."""

    def credit(self, credit: Credit, now: float) -> int:
        """Add a line and return its number; Conflict where the month is closed."""

    def lines(self, asked: LinesAsked) -> tuple[Entry, ...]:
        """Return lines, the newest first."""

    def allowance(self, tenant: str, period: Period) -> int:
        """Return what closing an open month leaves a tenant at most; 0 once closed."""

    def tenants(self) -> frozenset[str]:
        """Return the tenants that have a bill."""

    def prove(self, mend: bool = False) -> Proof:
        """Work out everything anew and compare; put right what differs, if wanted."""
