"""Open pages are told what changes, by one loop, and nobody listens for nothing."""

import asyncio
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from handlers.live import Live, event
from kqi_hub.domain.errors import DatabaseNotReady
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause, Phase
from kqi_hub.domain.run_ports import NewRun
from kqi_hub.domain.runs import RunKind, RunSpec
from tests.adapters.handlers.conftest import Client
from tests.fakes.hub import READ, WRITE
from tests.fakes.notebooks import CHOICES
from tests.fakes.site import FakeSite

PATH = "api/v1/events?of=queues"


class Stream:
    """One page that listens, on a connection of its own."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(
        cls, site: FakeSite, person: str = "mia", path: str = PATH
    ) -> "Stream":
        address = urlsplit(site.url(path))
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        lines = (
            f"GET {address.path}?{address.query} HTTP/1.1",
            f"Host: {address.netloc}",
            f"Authorization: token {site.hub.token(person)}",
            "Accept: text/event-stream",
        )
        writer.write("\r\n".join((*lines, "", "")).encode())
        return cls(reader, writer)

    async def next_event(self) -> str:
        lines = b""
        while not lines.endswith(b"\n\n"):
            line = await asyncio.wait_for(self.reader.readline(), 5)
            lines += line if line.startswith((b"event:", b"data:")) or lines else b""
        return lines.decode()

    def close(self) -> None:
        self.writer.close()


@pytest.fixture
async def stream(site: FakeSite) -> AsyncIterator[Stream]:
    opened = await Stream.open(site)
    yield opened
    opened.close()


async def test_a_page_is_told_when_the_worker_has_looked(
    site: FakeSite, stream: Stream
) -> None:
    first = await stream.next_event()
    assert first.startswith("event: queues\n")
    assert '"version": 1' in first
    site.queues.take(time.time() + 60)
    assert '"sequence": 2' in await stream.next_event()


async def test_a_page_is_told_of_each_change_of_a_session_of_one_moment(
    site: FakeSite,
) -> None:
    now = time.time()
    notebooks, sessions = site.notebooks.store, site.notebooks.sessions
    made = notebooks.create("mia", CHOICES, now)
    stream = await Stream.open(site, path="api/v1/events?of=notebooks")
    told = [await stream.next_event()]
    asked = sessions.ask(made.id, CHOICES, "key", now)
    told.append(await stream.next_event())
    for phase in (Phase.QUEUED, Phase.NODE, Phase.ENVIRONMENT):
        sessions.reached(asked.id, phase, now)
        told.append(await stream.next_event())
    sessions.ended(asked.id, SessionEnd(now, Cause.STOPPED))
    told.append(await stream.next_event())
    stream.close()
    assert all(one != other for one, other in pairwise(told))


async def test_without_asking_for_a_stream_one_is_told_once(ask: Client) -> None:
    answer = await ask(PATH, "mia")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.text.count("event: queues") == 1


async def test_a_page_that_has_gone_is_no_longer_looked_for(
    site: FakeSite, stream: Stream
) -> None:
    await stream.next_event()
    live = site.live
    assert live.count == 1
    stream.close()
    for _ in range(60):
        if live.count == 0:
            break
        await asyncio.sleep(0.05)
    assert live.count == 0


async def test_streams_end_when_the_portal_stops(
    site: FakeSite, stream: Stream
) -> None:
    await stream.next_event()
    site.live.close()
    end = stream.reader.readuntil(b"\r\n0\r\n\r\n")
    assert await asyncio.wait_for(end, 5)
    assert site.live.count == 0


@pytest.mark.parametrize("of", ["", "queues,", "jobs", "queues,%00", "a" * 200])
async def test_subjects_that_there_are_not_are_refused(ask: Client, of: str) -> None:
    answer = await ask(f"api/v1/events?of={of}", "mia")
    assert answer.status == 400


async def test_nobody_and_a_token_without_read_are_told_nothing(
    ask: Client, site: FakeSite
) -> None:
    assert (await ask(PATH)).status == 401
    ask.tokens["mia"] = site.hub.token("mia", WRITE)
    assert (await ask(PATH, "mia")).status == 403
    ask.tokens["mia"] = site.hub.token("mia", READ)
    assert (await ask(PATH, "mia")).status == 200


class Counting:
    """A source that counts its looks, and fails while told to."""

    def __init__(self) -> None:
        self.looks = 0
        self.value = 0
        self.fails = False

    async def look(self, people: frozenset[str]) -> dict[str, dict[str, object]]:
        self.looks += 1
        if self.fails:
            raise DatabaseNotReady("gone")
        return {person: {"value": self.value} for person in people}


async def texts_of(live: Live, person: str, most: int) -> list[str]:
    _, listener = live.listen(person, frozenset({"x"}))
    found = []
    async for text in listener.texts():
        found.append(text)
        if len(found) == most:
            return found
    return found


async def test_a_hundred_pages_cost_one_look_and_the_same_news_is_told_once() -> None:
    source = Counting()
    live = Live({"x": source}, look_every_s=0.02)
    pages = [asyncio.create_task(texts_of(live, f"p{n}", 2)) for n in range(100)]
    await asyncio.sleep(0.1)
    assert source.looks < 12
    source.value = 1
    told = await asyncio.gather(*pages)
    wanted = [event("x", {"value": 0}), event("x", {"value": 1})]
    assert all(texts == wanted for texts in told)


async def test_a_source_that_fails_is_asked_again() -> None:
    source = Counting()
    source.fails = True
    live = Live({"x": source}, look_every_s=0.01)
    page = asyncio.create_task(texts_of(live, "mia", 1))
    await asyncio.sleep(0.05)
    source.fails = False
    assert await asyncio.wait_for(page, 5) == [event("x", {"value": 0})]


async def test_a_person_s_oldest_page_gives_way_to_one_too_many() -> None:
    live = Live({"x": Counting()}, look_every_s=0.01)
    listeners = [live.listen("mia", frozenset({"x"}))[1] for _ in range(17)]
    assert [one.is_closed for one in listeners] == [True, *[False] * 16]
    assert live.count == 16


async def test_the_loop_ends_with_the_last_listener_and_begins_anew() -> None:
    source = Counting()
    live = Live({"x": source}, look_every_s=0.01)
    number, _ = live.listen("mia", frozenset({"x"}))
    await asyncio.sleep(0.03)
    live.leave(number)
    await asyncio.sleep(0.03)
    looks = source.looks
    await asyncio.sleep(0.05)
    assert source.looks == looks
    assert await asyncio.wait_for(texts_of(live, "mia", 1), 5)


def test_no_name_or_text_can_end_an_event_early() -> None:
    text = event("queues", {"name": "a\n\nevent: evil\ndata: x\u2028"})
    assert text.count("\n") == 3
    assert text.endswith("\n\n")


async def test_a_page_of_runs_is_told_of_those_of_the_tenant_that_it_shows(
    ask: Client, site: FakeSite
) -> None:
    async def told(person: str, tenant: str) -> str:
        return (await ask(f"api/v1/events?of=runs&tenant={tenant}", person)).text

    seen = [("mia", "vision"), ("mia", "nlp"), ("mia", ""), ("rita", ""), ("max", "")]
    before = {one: await told(*one) for one in seen}
    spec = RunSpec("other", "nlp", "cpu", "true")
    new = NewRun(RunKind.TRAINING, "mallory", "key", spec)
    site.runs.store.ask(new, time.time())
    anew = [one for one in seen if await told(*one) != before[one]]
    assert anew == [("mia", "nlp"), ("mia", ""), ("rita", "")]
    assert (await ask("api/v1/events?of=runs&tenant=nlp", "max")).status == 404
