"""Look into accounting for jobs that ended unseen, seldom and for everybody at once."""

from typing import Final

from kqi_hub.services.job_history import JobHistory
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal, say
from kqi_hub.worker.steps import HISTORY, StepFailed, step

INTERVAL_S: Final = 300.0


class HistoryRounds:
    """Ask slurmdbd, which is not the controller, what has ended."""

    def __init__(
        self,
        history: JobHistory,
        journal: Journal,
        clocks: Clocks = Clocks(),  # noqa: B008  immutable, and nothing starts in it
    ) -> None:
        self._history = history
        self._journal = journal
        self._clocks = clocks

    async def run(self) -> None:
        """Ask for ever; only cancelling ends it."""
        while True:
            await self.ask()
            await self._clocks.sleep(INTERVAL_S)

    async def ask(self) -> None:
        """Take over what is new, or note why that failed."""
        try:
            with step(HISTORY):
                added = await self._history.take_over()
        except StepFailed as failed:
            self._journal.trouble(HISTORY, failed.cause)
            return
        self._journal.fine(HISTORY)
        if added:
            say(HISTORY, jobs=added)
