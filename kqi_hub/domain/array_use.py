"""What the tasks of an array have used together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from kqi_hub.domain.runs import LIVE, Run, RunState


class Spread(NamedTuple):
    """The least, the middle one and the most of what tasks had."""

    least: float
    median: float
    most: float

    def over(self, asked: float) -> "Spread | None":
        """Return them as shares of what was asked for; None where that was nothing."""
        if not asked:
            return None
        return Spread(self.least / asked, self.median / asked, self.most / asked)


@dataclass(frozen=True, slots=True)
class ArrayUse:
    """The tasks of an array as the database adds them up.

    Times are seconds of those that have ended and `ran`, None while there are none;
    `cores` (a mean over its time), `memory_mb` (at most) and `gpu_percent` (a mean) of
    those `measured`. The book has `booked` of the tasks; `amount` is None without a
    price.
    """

    states: Mapping[RunState, int] = field(default_factory=dict)
    ran: int = 0
    measured: int = 0
    total_s: float = 0.0
    median_s: float | None = None
    longest_s: float | None = None
    cores: Spread | None = None
    memory_mb: Spread | None = None
    gpu_percent: Spread | None = None
    booked: int = 0
    amount: int | None = None

    @property
    def ended(self) -> int:
        """Return how many tasks have ended."""
        return sum(n for state, n in self.states.items() if state not in LIVE)

    @property
    def tasks(self) -> int:
        """Return how many tasks there are."""
        return sum(self.states.values())


class ArrayUses(Protocol):
    """What is known of whole arrays. Blocks: call it off the loop."""

    def of(self, run: Run) -> ArrayUse:
        """Return the use of the array that a run is a task of."""
