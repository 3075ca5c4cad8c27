"""Bills of tenants: what the lines of a month come to, and what they are made of."""

from dataclasses import dataclass
from typing import NamedTuple

from kqi_hub.domain.ledger import Entry
from kqi_hub.domain.site_days import Period


class Bill(NamedTuple):
    """What a month comes to for a tenant, in millionths; `closed_at`: it is final."""

    period: Period
    tenant: str
    charged: int = 0
    corrected: int = 0
    credited: int = 0
    closed_at: float | None = None

    @property
    def total(self) -> int:
        """Return what is to be paid."""
        return self.charged + self.corrected + self.credited


class Position(NamedTuple):
    """What a person's runs of a kind in a queue come to on a bill.

    `earlier`: use of a month that was closed already when it became known.
    """

    person: str
    queue: str
    kind: str
    earlier: bool
    runs: int
    seconds: int
    cpu_s: int
    gpu_s: int
    amount: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A bill with its positions, dearest first, and its credits, in their order."""

    bill: Bill
    positions: tuple[Position, ...] = ()
    credits: tuple[Entry, ...] = ()
