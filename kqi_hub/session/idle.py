"""When a notebook is idle, and when it ends for it: rules, and nothing else.

A notebook is in use while something works in it. Somebody who reads a page counts for
the moment at which they last moved in it; a page that was merely left open does not, or
else one forgotten window would hold a GPU all night.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

# What is in use when it is above zero; the hub keeps these counts with the session.
USES: Final = (
    "kernels_busy",
    "terminals_foreground",
    "terminals_background",
    "kernel_children",
    "gpu_processes",
)
# Shown beside them, but no use by themselves.
SHOWN: Final = ("kernels_idle", "terminals_open", "connections")


@dataclass(frozen=True, slots=True)
class Rule:
    """How long a notebook may be idle; 0 means for ever."""

    stop_s: float
    warn_s: float
    # Looks that are further apart than this: the job was suspended in between.
    longest_gap_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment.

    `last_use` is the latest moment at which a kernel or a terminal said something or a
    person did something, as far as is known.
    """

    at: float
    counts: Mapping[str, int] = field(default_factory=dict)
    last_use: float = 0.0

    @property
    def is_in_use(self) -> bool:
        """Tell whether something works at this moment."""
        return any(self.counts.get(name, 0) > 0 for name in USES)


class Verdict(StrEnum):
    """What follows from being idle so long."""

    STAY = "stay"
    WARN = "warn"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Idleness:
    """What is remembered between two looks."""

    used_at: float
    looked_at: float
    is_in_use: bool = True

    def after(self, look: Look, rule: Rule) -> "Idleness":
        """Return what is known after one more look."""
        used_at = self.used_at
        gap = look.at - self.looked_at
        if gap > rule.longest_gap_s:
            # Nobody could do anything while the job was suspended.
            used_at += gap
        elif gap < 0:
            # The clock was set back.
            used_at = min(used_at, look.at)
        if look.is_in_use:
            used_at = look.at
        used_at = max(used_at, min(look.last_use, look.at))
        return Idleness(used_at, look.at, look.is_in_use)

    def touched(self, now: float) -> "Idleness":
        """Return what is known after somebody said that they are here."""
        return replace(self, used_at=max(self.used_at, now))

    def stops_at(self, rule: Rule) -> float | None:
        """Return when it will end if nothing happens; None while in use, or never."""
        if rule.stop_s <= 0 or self.is_in_use:
            return None
        return self.used_at + rule.stop_s

    def idle_since(self) -> float | None:
        """Return since when nothing happens; None while something works."""
        return None if self.is_in_use else self.used_at

    def verdict(self, rule: Rule, now: float) -> Verdict:
        """Return what is to be done now."""
        stops_at = self.stops_at(rule)
        if stops_at is None:
            return Verdict.STAY
        if now >= stops_at:
            return Verdict.STOP
        return Verdict.WARN if now >= stops_at - rule.warn_s else Verdict.STAY


def seconds_between_looks(rule: Rule) -> float:
    """Return how often to look: in time for the warning, and no oftener."""
    if rule.stop_s <= 0:
        return 60.0
    return max(0.5, min(30.0, rule.stop_s / 20, (rule.warn_s or rule.stop_s) / 5))
