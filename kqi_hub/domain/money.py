"""Money, exact: integers of a millionth of the currency's unit, never floats."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MICRO: Final = 1_000_000
HOUR_S: Final = 3600
# Slurm counts memory in MB; rates are for 1024 of them.
MB_PER_GB: Final = 1024


class Rule(StrEnum):
    """How the parts of a rate become one price."""

    SUM = "sum"
    MAX = "max"


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
