"""The book of a tenant's money: lines are added, none is ever changed."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from kqi_hub.domain.site_days import Day, Period


class EntryKind(StrEnum):
    """What a line of the book is."""

    CHARGE = "charge"
    # The difference to what was charged: a record that came late or was changed.
    CORRECTION = "correction"
    # Money that an operator gives (negative amount) or takes, with a reason.
    CREDIT = "credit"


class Charge(NamedTuple):
    """What one run used on one local day under one card, and what it costs.

    `per_hour` is None where no card or no line has a price: counted, not charged.
    `seconds` are those it had its nodes, suspended ones left out, as Slurm counts.
    """

    day: Day
    version: int
    per_hour: int | None
    seconds: int
    amount: int
    cpu_s: int
    memory_mb_s: int
    gpu_s: int
    node_s: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the book. `period` is the month it counts in, `day` that of the use.

    A correction of a closed month stands in the open one, and keeps the day of use.
    """

    id: int
    kind: EntryKind
    tenant: str
    period: Period
    day: Day
    amount: int
    at: float
    author: str
    reason: str = ""
    record_id: int | None = None
    version: int | None = None
    per_hour: int | None = None
    seconds: int = 0
    cpu_s: int = 0
    memory_mb_s: int = 0
    gpu_s: int = 0
    node_s: int = 0
