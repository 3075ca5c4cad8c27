"""A source that goes on while what it gave is worked on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from kqi_hub.services.reading_ahead import ahead


class Source:
    """Numbers, how many were asked for, and whether it was closed."""

    def __init__(self, count: int, fault: Exception | None = None) -> None:
        self.count = count
        self.fault = fault
        self.given = 0
        self.is_closed = False

    async def numbers(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(self.count):
                self.given += 1
                yield number
            if self.fault:
                raise self.fault
        finally:
            self.is_closed = True


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("count", [0, 1, 50])
async def test_everything_comes_in_its_order(count: int) -> None:
    source = Source(count)
    assert [n async for n in ahead(source.numbers())] == list(range(count))
    assert source.is_closed


@pytest.mark.parametrize("room", [1, 3])
async def test_it_goes_on_by_itself_but_not_too_far(room: int) -> None:
    source = Source(100)
    async with aclosing(ahead(source.numbers(), room)) as numbers:
        assert await anext(numbers) == 0
        await settled()
        # One is worked on, some wait, and one more stands at the door.
        assert source.given == room + 2


async def test_a_fault_comes_after_everything_that_was_given() -> None:
    source, found = Source(5, OSError("away")), []
    with pytest.raises(OSError, match="away"):
        async for number in ahead(source.numbers()):
            found.append(number)
    assert found == list(range(5))
    assert source.is_closed


async def test_who_stops_closes_the_source() -> None:
    source = Source(100)
    async with aclosing(ahead(source.numbers())) as numbers:
        async for number in numbers:
            if number == 3:
                break
    assert source.is_closed
    assert source.given < 10


async def test_who_is_cancelled_closes_the_source() -> None:
    source = Source(100)

    async def read() -> None:
        async for _ in ahead(source.numbers()):
            await asyncio.sleep(60)

    task = asyncio.create_task(read())
    await settled()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await settled()
    assert source.is_closed
