"""Money, exact: integers of a millionth of the currency's unit, never floats."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MICRO: Final = 1_000_000
HOUR_S: Final = 3600
# Slurm counts memory in MB; rates are for 1024 of them.
MB_PER_GB: Final = 1024
_DIGITS: Final = 6
_FEW: Final = 2


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its currency: a value of a sentence, written in its language."""

    micro: int
    currency: str

    def __str__(self) -> str:
        return f"{amount_said(self.micro)} {self.currency}".rstrip()

    def to_coin(self, digits: int) -> "Money":
        """Return it rounded to so many digits; below one of them, to its own two."""
        size = abs(self.micro)
        coin = 10 ** max(0, _DIGITS - digits)
        step = coin if size >= coin else 10 ** max(0, len(str(size)) - _FEW)
        rounded = divided(size, step) * step
        return Money(-rounded if self.micro < 0 else rounded, self.currency)


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


def amount_said(amount: int) -> str:
    """Return millionths as people read them, such as 200,000 or 1,200.5."""
    sign, size = ("-", -amount) if amount < 0 else ("", amount)
    whole, rest = divmod(size, MICRO)
    return f"{sign}{whole:,}" + f".{rest:06d}".rstrip("0").rstrip(".")


def divided(number: int, by: int) -> int:
    """Divide, rounded half up; both are not negative."""
    return (2 * number + by) // (2 * by)
