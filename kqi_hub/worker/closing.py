"""The worker's part in closing months: it carries out what operators order."""

from collections.abc import Awaitable, Callable
from typing import Final

from kqi_hub.domain.close_orders import CloseOrder
from kqi_hub.domain.usage_periods import said_period
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal, say
from kqi_hub.worker.steps import CLOSING, StepFailed, step

LOOK_S: Final = 3.0
# What could not even be written down is tried again, and not at once.
TROUBLE_S: Final = 60.0


class CloseRounds:
    """Look for an order now and then; `work` carries it out to its end."""

    def __init__(
        self,
        work: Callable[[], Awaitable[CloseOrder | None]],
        journal: Journal,
        clocks: Clocks = Clocks(),  # noqa: B008  immutable, and nothing starts in it
    ) -> None:
        self._work = work
        self._journal = journal
        self._clocks = clocks

    async def run(self) -> None:
        """Look for ever; only cancelling ends it."""
        while True:
            is_fine = await self.look()
            await self._clocks.sleep(LOOK_S if is_fine else TROUBLE_S)

    async def look(self) -> bool:
        """Carry out the order that is open; tell whether nothing stood against it."""
        try:
            with step(CLOSING):
                order = await self._work()
        except StepFailed as failed:
            self._journal.trouble(CLOSING, failed.cause)
            return False
        self._journal.fine(CLOSING)
        if order is not None:
            month = said_period(order.asked.period)
            say(CLOSING, month=month, end=order.step.value, runs=order.runs_read)
        return True
