"""Money, exact: integers of a millionth of the currency's unit, never floats."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kqi_hub.domain.amounts import Amounts

MICRO: Final = 1_000_000
HOUR_S: Final = 3600
# Slurm counts memory in MB; rates are for 1024 of them.
MB_PER_GB: Final = 1024


class Rule(StrEnum):
    """How the parts of a rate become one price."""

    SUM = "sum"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Rate:
    """What an hour costs in a queue, in micro-currency; all zero is free.

    With `gpu_type` the rate holds for nodes with GPUs of that type alone.
    """

    queue: str
    gpu_type: str = ""
    cpu: int = 0
    memory_gb: int = 0
    gpu: int = 0
    node: int = 0
    rule: Rule = Rule.SUM

    @property
    def is_free(self) -> bool:
        """Tell whether nothing costs anything."""
        return not (self.cpu or self.memory_gb or self.gpu or self.node)

    def per_hour(self, takes: Amounts) -> int:
        """Return the price of an hour of so much."""
        parts = (
            self.cpu * takes.cpus,
            divided(self.memory_gb * takes.memory_mb, MB_PER_GB),
            self.gpu * takes.gpu_total,
            self.node * takes.nodes,
        )
        return sum(parts) if self.rule is Rule.SUM else max(parts)


@dataclass(frozen=True, slots=True)
class Price:
    """The price of an hour; a range where it depends on the node that Slurm picks."""

    per_hour: int
    at_least: int = 0
    whole_node: bool = False

    @property
    def is_free(self) -> bool:
        """Tell whether it costs nothing."""
        return self.per_hour == 0

    @property
    def is_range(self) -> bool:
        """Tell whether it may cost less than `per_hour`."""
        return self.at_least < self.per_hour

    def cost(self, seconds: float) -> int:
        """Return what so many seconds cost, at the price of the dearest node."""
        return cost(self.per_hour, seconds)


FREE: Final = Price(0)


def cost(per_hour: int, seconds: float) -> int:
    """Return the cost of whole seconds, rounded half up to a millionth."""
    return divided(per_hour * max(0, int(seconds)), HOUR_S)


def price_of(prices: Iterable[int], whole_node: bool) -> Price | None:
    """Return one price out of those on each node that may be picked."""
    found = sorted(prices)
    if not found:
        return None
    if found[-1] == 0:
        return FREE
    return Price(found[-1], found[0], whole_node)


def divided(number: int, by: int) -> int:
    """Divide, rounded half up; both are not negative."""
    return (2 * number + by) // (2 * by)
