"""The directory for the event loop: threads of its own, bounded, with a deadline.

A directory that hangs holds threads, not people: a call that takes longer than a
healthy directory ever needs keeps its thread but gives up its place, so that others
(whom `Servers` sends elsewhere by then) find one. When even the spare threads are
held, and when too many wait, the answer is DirectoryUnavailable at once.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from kqi_hub.domain.errors import DirectoryUnavailable
from kqi_hub.domain.login import Directory, DirectoryAnswer
from kqi_hub.domain.people import Person
from kqi_hub.i18n import N_

T = TypeVar("T")
SLOW_AFTER_S: Final = 1.0
SPARE: Final = 4


class _Place:
    """One of the semaphore's places, given back once."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places: asyncio.Semaphore | None = places

    def give_back(self) -> None:
        if self._places is not None:
            self._places.release()
            self._places = None


class DirectoryGateway:
    """An AsyncDirectory (services/desk.py) for one event loop."""

    def __init__(
        self,
        directory: Directory,
        places: int = 16,
        longest_queue: int = 200,
        deadline_s: float = 25.0,
        slow_after_s: float = SLOW_AFTER_S,
    ) -> None:
        """Let `places` calls run at once, and SPARE times as many while some hang."""
        self._directory = directory
        self._longest_queue = longest_queue
        self._deadline_s = deadline_s
        self._slow_after_s = slow_after_s
        self._places = asyncio.Semaphore(places)
        self._most_running = places * SPARE
        self._threads = _started_threads(places, self._most_running)
        self._waiting = 0
        self._running = 0

    async def check(self, name: str, password: str) -> DirectoryAnswer:
        """Check a password; takes as long for a name that does not exist."""
        return await self._call(lambda: self._directory.check(name, password))

    async def lookup(self, name: str) -> Person | None:
        """Return the entry, None when unknown, disabled or expired."""
        return await self._call(lambda: self._directory.lookup(name))

    async def change_password(
        self, name: str, old: str, new: str, code: str = ""
    ) -> None:
        """Change it as the person; InvalidInput carries the policy's own words."""
        await self._call(lambda: self._directory.change_password(name, old, new, code))

    def close(self) -> None:
        """Let threads end by themselves; calls that wait for a thread are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _call(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._longest_queue:
            raise _unavailable(N_("Too many people are logging in at this moment."))
        try:
            async with asyncio.timeout(self._deadline_s):
                place = await self._wait_for_place()
                return await asyncio.shield(self._start(work, place))
        except TimeoutError:
            raise _unavailable(N_("The directory does not answer in time.")) from None

    async def _wait_for_place(self) -> _Place:
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        return _Place(self._places)

    def _start(self, work: Callable[[], T], place: _Place) -> "asyncio.Future[T]":
        """Run in a thread; the place is given back when done, or when it takes long."""
        if self._running >= self._most_running:
            place.give_back()
            raise _unavailable(N_("The directory does not answer."))
        loop = asyncio.get_running_loop()
        self._running += 1
        running = loop.run_in_executor(self._threads, work)
        slow = loop.call_later(self._slow_after_s, place.give_back)

        def done(finished: "asyncio.Future[T]") -> None:
            self._running -= 1
            slow.cancel()
            place.give_back()
            # Whoever asked may have gone: then nobody else looks at the error.
            if not finished.cancelled():
                finished.exception()

        running.add_done_callback(done)
        return running


def _started_threads(places: int, most: int) -> ThreadPoolExecutor:
    """Return a pool whose usual threads run already: starting one holds up the loop."""
    pool = ThreadPoolExecutor(most, "directory")
    together = threading.Barrier(places)
    for _ in range(places):
        pool.submit(together.wait)
    return pool


def _unavailable(message: str) -> DirectoryUnavailable:
    return DirectoryUnavailable(message, "Try again in a minute.")
