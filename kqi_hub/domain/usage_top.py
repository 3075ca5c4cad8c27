"""The runs of a time that stand out: the dearest, failed GPU hours, longest waits."""

from dataclasses import dataclass
from enum import StrEnum

from kqi_hub.domain.usage import Narrowing, UsedRun


class Top(StrEnum):
    """By what runs stand out."""

    COST = "cost"
    FAILED_GPU = "failed-gpu"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class TopAsked:
    """Which runs: those that ended from `begins` on and before `ends`."""

    whose: Narrowing
    begins: int
    ends: int
    by: Top
    limit: int = 10


@dataclass(frozen=True, slots=True)
class TopList:
    """Runs in the order of what they stand out by; sums are those of whole runs."""

    by: Top
    runs: tuple[UsedRun, ...]
