"""When the one poller looks at Slurm: often enough for people, never a burden."""

from dataclasses import dataclass
from typing import Final

FLOOR_S: Final = 5.0
# A look every twenty answer times keeps the controller free for 95 % of its time.
SHARE: Final = 20.0
# People who press Refresh may cost a slow controller more, though not all of it.
REFRESH_SHARE: Final = 4.0
# 2 ** 16 intervals are longer than any cap; beyond it only the integers grow.
MAX_DOUBLINGS: Final = 16
JITTER: Final = 0.2


@dataclass(frozen=True, slots=True)
class PollRules:
    """How often the site wants a look, and the longest it will wait for one."""

    interval_s: float = 10.0
    max_interval_s: float = 120.0

    @property
    def usual_s(self) -> float:
        """Return the interval of a healthy, quick controller."""
        return max(FLOOR_S, self.interval_s)

    @property
    def longest_s(self) -> float:
        """Return the cap, which is never below the usual interval."""
        return max(self.usual_s, self.max_interval_s)

    @property
    def stale_after_s(self) -> float:
        """Return the age from which a reader must be told that a picture is old."""
        return max(3 * self.usual_s, self.usual_s + 30)


@dataclass(frozen=True, slots=True)
class LastLook:
    """The last look: its start on the steady clock, its length, failures in a row.

    `own_s` of it went into storing the picture, which is no burden on the controller.
    """

    started: float
    took_s: float
    failures: int = 0
    own_s: float = 0.0

    @property
    def asking_s(self) -> float:
        """Return how long the controller was kept busy."""
        return max(0.0, self.took_s - self.own_s)


def due_at(rules: PollRules, last: LastLook, jitter: float = 0.0) -> float:
    """Return when the next look is due on its own; `jitter` is between 0 and 1."""
    ended = last.started + last.took_s
    if last.failures:
        return ended + _pause_after_failures(rules, last.failures, jitter)
    interval = min(max(rules.usual_s, SHARE * last.asking_s), rules.longest_s)
    return max(last.started + interval, ended + FLOOR_S)


def refresh_at(rules: PollRules, last: LastLook, jitter: float = 0.0) -> float:
    """Return when a look that somebody asks for may begin.

    A controller that does not answer gets no extra questions: then it is the
    look that is due anyway.
    """
    due = due_at(rules, last, jitter)
    if last.failures:
        return due
    rest = max(FLOOR_S, REFRESH_SHARE * last.asking_s)
    return min(due, last.started + rest)


def _pause_after_failures(rules: PollRules, failures: int, jitter: float) -> float:
    doubled = rules.usual_s * 2.0 ** min(failures - 1, MAX_DOUBLINGS)
    pause = min(doubled, rules.longest_s) * (1.0 - JITTER * jitter)
    return max(FLOOR_S, pause)
