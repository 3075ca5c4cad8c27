"""The worker's part in rates: the first card, and use posted again under new ones."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal, say
from kqi_hub.worker.steps import RATES, StepFailed, step

LOOK_S: Final = 60.0


class RateRounds:
    """Look after the cards, beside the poller.

    `renew` (blocks) publishes the settings' rates where there is no card; `settle`
    has use posted again that new cards concern, and returns the lines added.
    """

    def __init__(
        self,
        renew: Callable[[], None],
        settle: Callable[[], Awaitable[int]],
        journal: Journal,
        clocks: Clocks = Clocks(),  # noqa: B008  immutable, and nothing starts in it
    ) -> None:
        self._renew = renew
        self._settle = settle
        self._journal = journal
        self._clocks = clocks

    async def run(self) -> None:
        """Look for ever; only cancelling ends it."""
        while True:
            await self.look()
            await self._clocks.sleep(LOOK_S)

    async def look(self) -> None:
        """Do what is due once, or note why that failed."""
        try:
            with step(RATES):
                await asyncio.to_thread(self._renew)
                lines = await self._settle()
        except StepFailed as failed:
            self._journal.trouble(RATES, failed.cause)
            return
        self._journal.fine(RATES)
        if lines:
            say("rates-posted", lines=lines)
