"""What changes is told to open pages at once: server-sent events from one shared loop.

A source says, once a second, what is the case for each of the people who listen; who
listens is told when that differs from what they were told last. A thousand open pages
cost one look a second; a slow reader misses states in between, never the last one.
"""

import asyncio
import itertools
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, runtime_checkable

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from kqi_hub.domain.errors import KqiError

EVENT_STREAM: Final = "text/event-stream"
LOOK_EVERY_S: Final = 1.0
# Proxies between us and the browser close what is silent for a minute.
BEAT_S: Final = 20.0
# Afterwards the page asks again, and whether it may is judged anew.
LONGEST_S: Final = 600.0
MOST_PER_PERSON: Final = 16
_PATIENCE_S: Final = 30.0
# Milliseconds that a browser waits before it asks again.
_RETRY_MS: Final = 3000
Data = Mapping[str, object]
# Those whose things a page shows; None: of everybody, as operators see them.
Tenants = tuple[str, ...] | None

log = logging.getLogger(__name__)


class OfPeople(Protocol):
    """One subject that pages are told of, which differs by person."""

    async def look(self, people: frozenset[str]) -> Mapping[str, Data]:
        """Return what is the case now for each of these people; who lacks, waits."""


@runtime_checkable
class OfTenants(Protocol):
    """One subject that pages are told of, which differs by the tenants they show."""

    async def look_at(self, shown: frozenset[Tenants]) -> Mapping[Tenants, Data]:
        """Return what is the case now in each of these groups of tenants."""


Source = OfPeople | OfTenants


@dataclass(eq=False)
class Listener:
    """One page that listens, and what it was told last."""

    person: str
    subjects: frozenset[str]
    tenants: Tenants = ()
    told: dict[str, Data] = field(default_factory=dict)
    news: dict[str, Data] = field(default_factory=dict)
    is_closed: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, subject: str, data: Data) -> None:
        """Have the page told, if it does not know yet."""
        if subject in self.subjects and self.told.get(subject) != data:
            self.told[subject] = self.news[subject] = data
            self.woken.set()

    def close(self) -> None:
        """End the stream."""
        self.is_closed = True
        self.woken.set()

    async def texts(self, longest_s: float = LONGEST_S) -> AsyncIterator[str]:
        """Yield events as they are written on the wire, until it is time to stop."""
        loop = asyncio.get_running_loop()
        until = loop.time() + longest_s
        while not self.is_closed and (left := until - loop.time()) > 0:
            try:
                await asyncio.wait_for(self.woken.wait(), min(BEAT_S, left))
            except TimeoutError:
                yield ": still here\n\n"
            self.woken.clear()
            while self.news:
                subject = next(iter(self.news))
                yield event(subject, self.news.pop(subject))


class Live:
    """Everybody who listens in this process, and the loop that tells them."""

    def __init__(
        self, sources: Mapping[str, Source], look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self.sources = sources
        self._look_every_s = look_every_s
        self._listeners: dict[int, Listener] = {}
        self._numbers = itertools.count()
        self._loop: asyncio.Task[None] | None = None
        self._has_failed: set[str] = set()

    @property
    def count(self) -> int:
        """Return how many pages listen."""
        return len(self._listeners)

    async def now(
        self, person: str, subjects: frozenset[str], tenants: Tenants = ()
    ) -> Mapping[str, Data]:
        """Return what is the case now, for who does not want to listen."""
        page = Listener(person, subjects, tenants)
        for subject in sorted(subjects & self.sources.keys()):
            await _tell(self.sources[subject], subject, [page])
        return page.told

    def listen(
        self, person: str, subjects: frozenset[str], tenants: Tenants = ()
    ) -> tuple[int, Listener]:
        """Let a page listen; a person's oldest page gives way to one too many."""
        mine = [n for n, one in self._listeners.items() if one.person == person]
        if len(mine) >= MOST_PER_PERSON:
            self._listeners.pop(mine[0]).close()
        number, listener = next(self._numbers), Listener(person, subjects, tenants)
        self._listeners[number] = listener
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._look_for_ever())
        return number, listener

    def leave(self, number: int) -> None:
        """Let a page go."""
        self._listeners.pop(number, None)

    def close(self) -> None:
        """End every stream, for the process is told to stop."""
        for listener in self._listeners.values():
            listener.close()

    async def _look_for_ever(self) -> None:
        """Look until nobody listens any more."""
        while self._listeners:
            for subject, source in self.sources.items():
                await self._look(subject, source)
            await asyncio.sleep(self._look_every_s)

    async def _look(self, subject: str, source: Source) -> None:
        wanting = [one for one in self._listeners.values() if subject in one.subjects]
        if not wanting:
            return
        try:
            await _tell(source, subject, wanting)
        except KqiError as error:
            # Pages say by themselves that what they show grows old.
            if subject not in self._has_failed:
                log.warning("nothing can be told of %s: %s", subject, error)
            self._has_failed.add(subject)
            return
        self._has_failed.discard(subject)


async def _tell(source: Source, subject: str, pages: Sequence[Listener]) -> None:
    """Look once for all of these pages, and tell each what is new to it."""
    if isinstance(source, OfTenants):
        of_tenants = await source.look_at(frozenset(one.tenants for one in pages))
        for page in pages:
            page.tell(subject, of_tenants[page.tenants])
        return
    found = await source.look(frozenset(one.person for one in pages))
    for page in pages:
        if (data := found.get(page.person)) is not None:
            page.tell(subject, data)


def event(subject: str, data: Data) -> str:
    """Write one event; JSON has no newline that could end it early."""
    return f"event: {subject}\ndata: {json.dumps(data, ensure_ascii=True)}\n\n"


async def send_events(
    handler: RequestHandler,
    live: Live,
    person: str,
    subjects: frozenset[str],
    tenants: Tenants = (),
) -> None:
    """Answer with a stream to who asks for one, else with what is the case now."""
    handler.set_header("Content-Type", EVENT_STREAM)
    # nginx would collect the events until its buffer is full.
    handler.set_header("X-Accel-Buffering", "no")
    if EVENT_STREAM not in handler.request.headers.get("Accept", ""):
        found = await live.now(person, subjects, tenants)
        handler.finish("".join(event(name, data) for name, data in found.items()))
        return
    number, listener = live.listen(person, subjects, tenants)
    connection: Any = handler.request.connection
    connection.set_close_callback(listener.close)
    try:
        await _write(handler, f"retry: {_RETRY_MS}\n\n")
        async for text in listener.texts():
            await _write(handler, text)
        handler.finish()
    except (StreamClosedError, TimeoutError):
        log.debug("a page stopped listening")
    finally:
        live.leave(number)


async def _write(handler: RequestHandler, text: str) -> None:
    handler.write(text)
    await asyncio.wait_for(handler.flush(), _PATIENCE_S)
