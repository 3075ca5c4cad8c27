"""Keep the book of use up to date: every five minutes, each night, and the past."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from kqi_hub.domain.accounting_ports import TakenIn
from kqi_hub.services.intake import Intake
from kqi_hub.services.shape_watch import ShapeWatch
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal, say
from kqi_hub.worker.steps import INTAKE, StepFailed, step

INTERVAL_S: Final = 300.0
# After so long with the past, what is new has its turn.
FILL_S: Final = 240.0
SOON_S: Final = 5.0


class AccountingRounds:
    """Take accounting in, beside the poller: slurmdbd is not the controller.

    `first_card` (blocks) publishes the settings' rates where there is no card: years of
    use would be posted without a price, and then once more.
    """

    def __init__(
        self,
        intake: Intake,
        shapes: ShapeWatch,
        first_card: Callable[[], None],
        journal: Journal,
        clocks: Clocks = Clocks(),  # noqa: B008  immutable, and nothing starts in it
    ) -> None:
        self._intake = intake
        self._shapes = shapes
        self._first_card = first_card
        self._journal = journal
        self._clocks = clocks
        self._steps: tuple[tuple[str, Callable[[], Awaitable[TakenIn]]], ...] = (
            ("new", intake.tick),
            ("night", intake.nightly),
            ("past", lambda: intake.fill_back(FILL_S)),
        )

    async def run(self) -> None:
        """Go round for ever; only cancelling ends it."""
        while True:
            began = self._clocks.steady()
            is_done = await self.round()
            spent = self._clocks.steady() - began
            wait = max(1.0, INTERVAL_S - spent) if is_done else SOON_S
            await self._clocks.sleep(wait)

    async def round(self) -> bool:
        """Do what is due once, the first that fails ends it; tell whether all is done.

        As long as no picture tells the nodes, and with the past, it goes on soon.
        """
        try:
            with step(INTAKE):
                if not await self._shapes.note():
                    return False
                await asyncio.to_thread(self._first_card)
                for name, todo in self._steps:
                    _tell(name, await todo())
                is_done = (await self._intake.progress()).is_whole
        except StepFailed as failed:
            self._journal.trouble(INTAKE, failed.cause)
            return True
        self._journal.fine(INTAKE)
        return is_done


def _tell(name: str, done: TakenIn) -> None:
    """Write down what was taken in, if anything was."""
    if done.new or done.changed:
        say(
            INTAKE,
            what=name,
            read=done.read,
            new=done.new,
            changed=done.changed,
            lines=done.lines,
        )
