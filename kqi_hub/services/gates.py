"""How many logins of one kind are looked at at once.

Failures are counted when they have happened. Without gates a thousand guesses sent at
the same moment would all be looked at before the first of them counts.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

LONGEST_QUEUE: Final = 200


class QueueFull(Exception):
    """Too many are waiting at one gate already."""


@dataclass(frozen=True, slots=True)
class Place:
    """What logins have in common, and how many of them go through at once."""

    name: str
    room: int


@dataclass(slots=True)
class _Gate:
    room: asyncio.Semaphore
    users: int = 0


@dataclass(slots=True)
class Gates:
    """All gates of a process; one is made when needed and forgotten when empty."""

    _gates: dict[str, _Gate] = field(default_factory=dict)

    @asynccontextmanager
    async def through(self, places: Sequence[Place]) -> AsyncIterator[None]:
        """Wait for room at each place in turn; raise QueueFull instead of queueing.

        Everybody must name kinds of places in the same order.
        """
        async with AsyncExitStack() as held:
            for place in places:
                await held.enter_async_context(self._one(place))
            yield

    @asynccontextmanager
    async def _one(self, place: Place) -> AsyncIterator[None]:
        gate = self._gates.get(place.name)
        if gate is None:
            gate = self._gates[place.name] = _Gate(asyncio.Semaphore(place.room))
        if gate.users >= LONGEST_QUEUE + place.room:
            raise QueueFull
        gate.users += 1
        try:
            async with gate.room:
                yield
        finally:
            gate.users -= 1
            if not gate.users:
                del self._gates[place.name]
