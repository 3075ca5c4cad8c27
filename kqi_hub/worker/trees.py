"""The worker's part in datasets: trees that nobody reads any more are removed."""

from typing import Final

from kqi_hub.services.tree_keeping import TreeKeeper
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal, say
from kqi_hub.worker.steps import TREES, StepFailed, step

LOOK_S: Final = 60.0


class TreeRounds:
    """Let the keeper do what is due, beside the poller: it never waits."""

    def __init__(
        self,
        keeper: TreeKeeper,
        journal: Journal,
        clocks: Clocks = Clocks(),  # noqa: B008  immutable, and nothing starts in it
    ) -> None:
        self._keeper = keeper
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
            with step(TREES):
                removed = await self._keeper.look()
        except StepFailed as failed:
            self._journal.trouble(TREES, failed.cause)
            return
        self._journal.fine(TREES)
        for note in removed:
            say("tree-removed", tenant=note.tenant, key=note.key, files=note.files)
