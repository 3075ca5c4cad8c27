"""A job's submission is one process's affair: it holds a lease while it is at it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.runs import Run
from kqi_hub.services.run_world import RunWorld

# A lease is prolonged when this part of it has gone by.
_PART: Final = 1 / 3
log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another process has the submission now: nothing more is done here."""


class Lease:
    """The lease of one job's submission, by its key.

    It is given back only by whoever knows that nothing is under way. What ends
    otherwise leaves it to run out: a call of the door may outlive its caller.
    """

    def __init__(self, world: RunWorld, key: str) -> None:
        self.key = key
        self._world = world

    async def take(self) -> bool:
        """Take or prolong it; False while somebody else has it."""
        return await self._until(self._world.times.lease)

    async def give_back(self) -> None:
        """Let the next process have it."""
        await self._until(0.0)

    async def hand_over(self, text: str) -> tuple[Run, ...]:
        """Prolong it to its whole length, and keep the script about to be submitted.

        Returns the runs that still have no job; LeaseLost where somebody else has it.
        """
        world, now = self._world, self._world.clock()
        until = now + world.times.lease
        runs = await asyncio.to_thread(
            world.runs.hand_over, self.key, text, world.by, until, now
        )
        if runs is None:
            raise LeaseLost(self.key)
        return runs

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Prolong it beside for as long as the block takes."""
        beat = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beat.cancel()
            await asyncio.wait({beat})

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._world.times.lease * _PART)
            try:
                if not await self.take():
                    return  # whoever is about to submit finds out by `hand_over`
            except KqiError as error:
                log.warning("The lease of %s is not prolonged: %s", self.key, error)

    async def _until(self, seconds: float) -> bool:
        now = self._world.clock()
        return await asyncio.to_thread(
            self._world.runs.lease, self.key, self._world.by, now + seconds, now
        )
