"""How fast somebody may guess: growing delays, and no lock that lasts.

Failures are counted by person and address together, by person, by address, and over
everybody. Each counter forgives a few failures, then asks for a wait that doubles up
to its ceiling, and forgets after a quiet time. An address from which the person has
logged in before is judged by its own counter alone, so that a stranger who guesses at
a name from elsewhere cannot keep its owner out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Key(StrEnum):
    """What failures are counted by."""

    PAIR = "pair"
    PERSON = "person"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many failures are free, and how long the wait may grow."""

    free: int
    ceiling_s: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Failures of one counter since it was last quiet."""

    failures: int
    last_failure_at: float


ALLOWANCES: Final[Mapping[Key, Allowance]] = {
    Key.PAIR: Allowance(free=5, ceiling_s=300),
    Key.PERSON: Allowance(free=10, ceiling_s=60),
    Key.ADDRESS: Allowance(free=20, ceiling_s=300),
}
FORGOTTEN_AFTER_S: Final = 900
# Above this many failures a minute over everybody, each answer takes longer. Nobody is
# refused for it: the right person with the right code still gets in.
GLOBAL_FREE_PER_MINUTE: Final = 60
GLOBAL_DELAY_S: Final = 2.0


def wait_s(tally: Tally | None, allowance: Allowance, now: float) -> int:
    """Return for how many whole seconds an attempt is refused unchecked, 0 for none."""
    if tally is None or now - tally.last_failure_at >= FORGOTTEN_AFTER_S:
        return 0
    over = tally.failures - allowance.free
    if over <= 0:
        return 0
    delay = min(2 ** min(over - 1, 30), allowance.ceiling_s)
    left = tally.last_failure_at + delay - now
    return max(0, -int(-left // 1))


def counted(tally: Tally | None, now: float) -> Tally:
    """Return the tally after one more failure."""
    if tally is None or now - tally.last_failure_at >= FORGOTTEN_AFTER_S:
        return Tally(1, now)
    return Tally(tally.failures + 1, now)


def refusal_s(
    tallies: Mapping[Key, Tally | None], known_address: bool, now: float
) -> int:
    """Return the longest wait that applies; a known address answers for itself only."""
    keys = [Key.PAIR] if known_address else list(Key)
    return max(wait_s(tallies.get(key), ALLOWANCES[key], now) for key in keys)


def global_delay_s(failures_last_minute: int) -> float:
    """Return by how much every answer is slowed down at present."""
    return GLOBAL_DELAY_S if failures_last_minute > GLOBAL_FREE_PER_MINUTE else 0.0
