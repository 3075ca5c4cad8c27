"""The directory off the loop: bounded, in time, and never in each other's way."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable

import pytest

from kqi_hub.auth.gateway import DirectoryGateway
from kqi_hub.domain.errors import DirectoryUnavailable, WrongPassword
from kqi_hub.domain.login import DirectoryAnswer, DirectoryVerdict
from kqi_hub.domain.people import Person

WRONG = DirectoryAnswer(DirectoryVerdict.WRONG)


class FakeSlowDirectory:
    """A blocking directory that hangs for names which begin with "hang"."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.calls: list[str] = []

    def check(self, name: str, password: str) -> DirectoryAnswer:
        self.calls.append(name)
        if name.startswith("hang"):
            self.let_go.wait(5)
            raise DirectoryUnavailable("hung")
        if name.startswith("slow"):
            time.sleep(0.02)
        return WRONG

    def lookup(self, name: str) -> Person | None:
        return None

    def change_password(self, name: str, old: str, new: str, code: str = "") -> None:
        raise WrongPassword("wrong", name=name)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that must come, however busy the machine is."""
    for _ in range(2000):
        if holds():
            return
        await asyncio.sleep(0.005)
    pytest.fail("it did not come")


@pytest.fixture
async def directory() -> AsyncIterator[FakeSlowDirectory]:
    made = FakeSlowDirectory()
    yield made
    made.let_go.set()
    await asyncio.sleep(0.05)


async def test_answers_and_errors_come_back_as_they_are(
    directory: FakeSlowDirectory,
) -> None:
    gateway = DirectoryGateway(directory)
    assert await gateway.check("alice", "x") == WRONG
    assert await gateway.lookup("alice") is None
    with pytest.raises(WrongPassword):
        await gateway.change_password("alice", "x", "y", "z")
    gateway.close()


async def test_no_more_run_at_once_than_there_are_places(
    directory: FakeSlowDirectory,
) -> None:
    gateway = DirectoryGateway(directory, places=3, longest_queue=100)
    asked = [asyncio.create_task(gateway.check(f"hang{n}", "x")) for n in range(10)]
    await until(lambda: len(directory.calls) == 3)
    await asyncio.sleep(0.05)
    assert len(directory.calls) == 3
    directory.let_go.set()
    done = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(one) for one in done} == {DirectoryUnavailable}
    assert len(directory.calls) == 10
    gateway.close()


async def test_calls_that_hang_make_room_for_others(
    directory: FakeSlowDirectory,
) -> None:
    gateway = DirectoryGateway(directory, places=3, slow_after_s=0.1)
    hung = [asyncio.create_task(gateway.check(f"hang{n}", "x")) for n in range(3)]
    await asyncio.sleep(0)
    began = time.monotonic()
    assert await gateway.check("alice", "x") == WRONG
    assert 0.05 < time.monotonic() - began < 4
    directory.let_go.set()
    await asyncio.gather(*hung, return_exceptions=True)
    gateway.close()


async def test_when_even_spare_threads_hang_the_answer_is_no_at_once(
    directory: FakeSlowDirectory,
) -> None:
    gateway = DirectoryGateway(directory, places=2, slow_after_s=0.02)
    hung = [asyncio.create_task(gateway.check(f"hang{n}", "x")) for n in range(8)]
    await until(lambda: len(directory.calls) == 8)
    await asyncio.sleep(0.05)
    with pytest.raises(DirectoryUnavailable):
        await gateway.check("alice", "x")
    assert "alice" not in directory.calls
    directory.let_go.set()
    await asyncio.gather(*hung, return_exceptions=True)
    assert await gateway.check("alice", "x") == WRONG
    gateway.close()


async def test_too_long_a_queue_sends_people_away_at_once(
    directory: FakeSlowDirectory,
) -> None:
    gateway = DirectoryGateway(directory, places=1, longest_queue=2)
    tasks = [asyncio.create_task(gateway.check(f"hang{n}", "x")) for n in range(3)]
    await until(lambda: len(directory.calls) == 1)
    with pytest.raises(DirectoryUnavailable, match="Too many"):
        await gateway.check("alice", "x")
    directory.let_go.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    gateway.close()


async def test_the_deadline_ends_the_waiting_and_gives_the_place_back_later(
    directory: FakeSlowDirectory,
) -> None:
    gateway = DirectoryGateway(directory, places=1, deadline_s=0.1, slow_after_s=5)
    for name in ("hang", "queued"):
        with pytest.raises(DirectoryUnavailable, match="in time"):
            await gateway.check(name, "x")
    directory.let_go.set()

    await asyncio.sleep(0.1)
    assert await gateway.check("alice", "x") == WRONG
    assert directory.calls == ["hang", "alice"]
    gateway.close()


async def test_places_are_given_back_exactly_once(
    directory: FakeSlowDirectory,
) -> None:
    gateway = DirectoryGateway(directory, places=2, slow_after_s=0.02)
    for _ in range(5):
        await asyncio.gather(*(gateway.check(f"slow{n}", "x") for n in range(6)))
    directory.calls.clear()
    asked = [asyncio.create_task(gateway.check(f"hang{n}", "x")) for n in range(6)]
    await asyncio.sleep(0.005)
    assert len(directory.calls) <= 2
    directory.let_go.set()
    await asyncio.gather(*asked, return_exceptions=True)
    gateway.close()


async def test_whoever_goes_away_takes_nobody_along(
    directory: FakeSlowDirectory,
) -> None:
    gateway = DirectoryGateway(directory, places=1)
    first = asyncio.create_task(gateway.check("hang", "x"))
    second = asyncio.create_task(gateway.check("alice", "x"))
    await asyncio.sleep(0.02)
    first.cancel()
    directory.let_go.set()
    assert await second == WRONG
    assert first.cancelled()
    gateway.close()
