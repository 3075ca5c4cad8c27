"""Take over from accounting what has ended unseen: before us, or while we slept."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from kqi_hub.domain.job import EndedJob, Job

Ended = tuple[Job, EndedJob]
# Jobs come to accounting a little late, the longer the busier it is.
OVERLAP_S: Final = 900.0
# A question is about so much time at most: a day of a large site is a long answer.
WINDOW_S: Final = 6 * 3600.0


class HistoryReader(Protocol):
    """Ask accounting; raises ClusterError as a ClusterReader does."""

    async def history(self, since: float, until: float) -> tuple[Ended, ...]:
        """Return everybody's jobs that have ended in between."""


class HistoryStore(Protocol):
    """Where ended jobs are listed. Blocks."""

    def add_ended(self, jobs: Sequence[Ended]) -> int:
        """Add those that are not there, complete those that are; tell how many new."""


@dataclass
class JobHistory:
    """Go through accounting window by window, forward, each time from where it was."""

    reader: HistoryReader
    store: HistoryStore
    keep_s: float
    wall: Callable[[], float]
    _done_until: float | None = field(default=None)

    async def take_over(self) -> int:
        """Read what is new; return how many jobs nobody had seen the end of."""
        now, added = self.wall(), 0
        begin = now - self.keep_s
        if self._done_until is not None:
            begin = max(begin, self._done_until - OVERLAP_S)
        while begin < now:
            until = min(now, begin + WINDOW_S)
            found = await self.reader.history(begin, until)
            kept = [one for one in found if one[1].ended_at >= now - self.keep_s]
            added += await asyncio.to_thread(self.store.add_ended, kept)
            # What was read stays read when the next question fails.
            self._done_until = begin = until
        return added
