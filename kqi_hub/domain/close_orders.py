"""Orders to close a month: an operator gives one, the worker carries it out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol

from kqi_hub.domain.accounting_ports import TakenIn
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.site_days import Period


class CloseStep(StrEnum):
    """How far an order has come, or how it ended."""

    WAITING = "waiting"
    READING = "reading"
    COMPARING = "comparing"
    CLOSING = "closing"
    # Those below are ends.
    CLOSED = "closed"
    # Its bills are not those that were confirmed.
    CHANGED = "changed"
    # The book differs from Slurm in more runs than were accepted.
    DIFFERS = "differs"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_end(self) -> bool:
        """Tell whether nothing comes after it."""
        return self in _ENDS


_ENDS: Final = frozenset(
    {
        CloseStep.CLOSED,
        CloseStep.CHANGED,
        CloseStep.DIFFERS,
        CloseStep.FAILED,
        CloseStep.CANCELED,
    }
)


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What an operator asks for: `confirmation` belongs to the bills they saw.

    `accepted` differences from Slurm do not stand against closing.
    """

    period: Period
    author: str
    address: str
    confirmation: str
    accepted: int = 0


@dataclass(frozen=True, slots=True)
class CloseOrder:
    """An order and what has become of it.

    `read_to`: the month has been read once more from its beginning to there. `why` is
    a template with its values, empty where the step says it all.
    """

    id: int
    asked: NewOrder
    asked_at: float
    step: CloseStep = CloseStep.WAITING
    changed_at: float = 0.0
    read_to: int | None = None
    runs_read: int = 0
    runs_changed: int = 0
    differences: int | None = None
    why: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Tell whether the worker has still to do with it."""
        return not self.step.is_end

    @property
    def may_cancel(self) -> bool:
        """Tell whether it can still be taken back."""
        return self.is_open and self.step is not CloseStep.CLOSING

    @property
    def reason(self) -> Phrase:
        """Return why it ended so, as a sentence; empty where there is none."""
        return Phrase(self.why, **self.values)

    def having_read(self, read_to: int, taken: TakenIn) -> "CloseOrder":
        """Return it after a part of the month was read once more."""
        return replace(
            self,
            step=CloseStep.READING,
            read_to=read_to,
            runs_read=self.runs_read + taken.read,
            runs_changed=self.runs_changed + taken.new + taken.changed,
        )


class CloseOrders(Protocol):
    """Orders at rest. Every method blocks."""

    def add(self, new: NewOrder, now: float) -> CloseOrder:
        """Keep an order; Conflict while another one is open, of any month."""

    def last(self, period: Period) -> CloseOrder | None:
        """Return the newest order of a month."""

    def open(self) -> CloseOrder | None:
        """Return the one that the worker has to carry out."""

    def keep(self, order: CloseOrder, now: float) -> bool:
        """Write down what has become of one; False, and nothing, if it has ended."""

    def cancel(self, order_id: int, now: float) -> bool:
        """End one; False if it has ended, or is closing the month right now."""

    def stamp(self) -> float:
        """Return when anything was changed last."""
