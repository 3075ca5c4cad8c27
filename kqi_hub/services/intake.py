"""Take in accounting's records: what is new, what came late, and all of the past.

Every reading is of a time that overlaps what was read before: a record that is known is
nothing, one that changed is posted again. So it does not matter where a reading stops,
or how often it is begun.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from kqi_hub.domain.accounting_ports import (
    Progress,
    ReadRecord,
    RecordStore,
    TakenIn,
    UsageReader,
)
from kqi_hub.domain.errors import ClusterError
from kqi_hub.domain.site_days import Period, SiteDays
from kqi_hub.services.reading_ahead import ahead
from kqi_hub.services.suspensions import Suspensions

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
# slurmctld keeps what slurmdbd cannot take, and tells it later with the old times.
OVERLAP_S: Final = 2 * DAY_S
NIGHTLY_S: Final = 35 * DAY_S
NIGHTLY_HOUR: Final = 3
HISTORY_S: Final = 10 * 366 * DAY_S
# So much is asked at once: sacct and slurmdbd keep the whole answer in memory.
ROWS_AT_ONCE: Final = 100_000
SHORTEST_S: Final = HOUR_S
# SQLite has one writer, and who waits looks ten times a second: pages write, too.
PAUSE_S: Final = 0.05
LONGEST_S: Final = 366 * DAY_S
Batch = Sequence[ReadRecord]
Window = tuple[int, int]


@dataclass
class Stride:
    """How long a time is asked for at once: about as many rows as one wants."""

    seconds: int = DAY_S

    def adjust(self, rows: int) -> None:
        """Go on in longer or shorter steps after an answer of so many rows."""
        factor = min(4.0, max(0.25, ROWS_AT_ONCE / (rows + 1)))
        self.seconds = int(min(LONGEST_S, max(SHORTEST_S, self.seconds * factor)))

    def shorten(self) -> None:
        """Ask for less after an answer that did not come."""
        self.seconds = max(SHORTEST_S, self.seconds // 4)


@dataclass
class Intake:
    """One cluster's accounting, read again and again. `wall` tells the time."""

    reader: UsageReader
    store: RecordStore
    days: SiteDays
    wall: Callable[[], float]
    _stride: Stride = field(default_factory=Stride)

    def __post_init__(self) -> None:
        self._suspensions = Suspensions(self.reader, self.days)

    async def progress(self) -> Progress:
        """Return how far accounting has been read."""
        return await asyncio.to_thread(self.store.progress)

    async def tick(self) -> TakenIn:
        """Read what is new and what may have changed lately."""
        now, known = int(self.wall()), await self.progress()
        # A clock that was ahead, and is set back, must not leave a gap.
        begins = min(known.read_until or now, now) - OVERLAP_S
        total = TakenIn()
        async with aclosing(self._taken(begins, now)) as windows:
            async for (_, until), taken in windows:
                total = total.plus(taken)
                if known.read_until is not None and until > known.read_until:
                    await self._note(read_until=until)
        if known.read_until is None:
            await self._begin(begins, now)
        return total

    async def nightly(self) -> TakenIn:
        """Read five weeks once more, where that was not done since the night began."""
        now, known = int(self.wall()), await self.progress()
        began = self.days.begins(self.days.day_of(now)) + NIGHTLY_HOUR * HOUR_S
        if known.nightly_at is None or known.nightly_at >= began or now < began:
            return TakenIn()
        taken = await self.read_again(now - NIGHTLY_S, now)
        await self._note(nightly_at=now)
        return taken

    async def read_month(self, period: Period) -> TakenIn:
        """Read everything that ran in a month once more, as before it is closed."""
        ends = min(int(self.wall()), self.days.month_ends(period))
        return await self.read_again(self.days.month_begins(period), ends)

    async def month_in_parts(
        self, period: Period, since: int | None = None
    ) -> AsyncGenerator[tuple[int, TakenIn], None]:
        """Read a month once more, from a moment on; yield how far, after each part."""
        begins, ends = self.days.month_begins(period), self.days.month_ends(period)
        start = begins if since is None else max(begins, since)
        async with aclosing(self._taken(start, ends)) as windows:
            async for (_, until), taken in windows:
                yield until, taken

    async def read_again(self, since: int, until: int) -> TakenIn:
        """Read a time once more; nothing is noted of it."""
        total = TakenIn()
        async with aclosing(self._taken(since, until)) as windows:
            async for _, taken in windows:
                total = total.plus(taken)
        return total

    async def fill_back(self, for_s: float) -> TakenIn:
        """Go on into the past for so long; each step is noted when it is done."""
        known, until = await self.progress(), self.wall() + for_s
        total = TakenIn()
        if known.fill_back_to is None or known.filled_back_to is None:
            return total
        past = self._taken(known.fill_back_to, known.filled_back_to, backwards=True)
        async with aclosing(past) as windows:
            async for (since, _), taken in windows:
                total = total.plus(taken)
                await self._note(filled_back_to=since)
                if self.wall() >= until:
                    break
        return total

    async def _begin(self, begins: int, now: int) -> None:
        await self._note(
            read_until=now,
            filled_back_to=begins,
            fill_back_to=max(0, now - HISTORY_S),
            nightly_at=now,
        )

    async def _taken(
        self, since: int, until: int, backwards: bool = False
    ) -> AsyncGenerator[tuple[Window, TakenIn], None]:
        """Take in a time; yield each part of it when all of that part is kept."""
        taken = TakenIn()
        async with aclosing(ahead(self._read(since, until, backwards))) as answers:
            async for answer in answers:
                if isinstance(answer, tuple):
                    yield answer, taken
                    taken = TakenIn()
                else:
                    taken = taken.plus(await self._take(answer))

    async def _read(
        self, since: int, until: int, backwards: bool
    ) -> AsyncGenerator[list[ReadRecord] | Window, None]:
        """Yield the records of a time in batches, and each part of it after them."""
        while since < until:
            window = self._next(since, until, backwards)
            rows = 0
            try:
                async with aclosing(self.reader.usage(*window)) as batches:
                    async for batch in batches:
                        rows += len(batch)
                        yield list(batch)
            except ClusterError:
                self._stride.shorten()
                raise
            self._stride.adjust(rows)
            yield window
            since, until = (since, window[0]) if backwards else (window[1], until)

    def _next(self, since: int, until: int, backwards: bool) -> Window:
        length = self._stride.seconds
        if backwards:
            return max(since, until - length), until
        return since, min(until, since + length)

    async def _take(self, batch: Batch) -> TakenIn:
        # What waits has used nothing, and changes until it begins.
        begun = [
            one
            for one in batch
            if one.record.started_at is not None or one.record.ended_at is not None
        ]
        whole = await self._suspensions.completed(begun, self.store.unknown)
        taken = await asyncio.to_thread(self.store.take_in, whole, self.wall())
        await asyncio.sleep(PAUSE_S)
        return taken

    async def _note(self, **changes: int) -> None:
        await asyncio.to_thread(lambda: self.store.note(**changes))
