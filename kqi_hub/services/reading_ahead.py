"""Let a source go on while what it gave is worked on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import TypeVar

T = TypeVar("T")


async def ahead(
    source: AsyncGenerator[T, None], room: int = 1
) -> AsyncGenerator[T, None]:
    """Yield what a source yields, which is asked for so much more meanwhile.

    What it raises is raised after everything that it gave; it is closed at the end.
    """
    queue: asyncio.Queue[tuple[T] | Exception | None] = asyncio.Queue(room)
    filling = asyncio.create_task(_fill(source, queue))
    try:
        while (found := await queue.get()) is not None:
            if isinstance(found, Exception):
                raise found
            yield found[0]
    finally:
        filling.cancel()
        with suppress(asyncio.CancelledError):
            await filling


async def _fill(
    source: AsyncGenerator[T, None],
    queue: asyncio.Queue[tuple[T] | Exception | None],
) -> None:
    try:
        async with aclosing(source):
            async for thing in source:
                await queue.put((thing,))
    except Exception as error:  # noqa: BLE001  whoever reads is told
        await queue.put(error)
    else:
        await queue.put(None)
