"""Keep the stored associations young: seldom asked, and never in the poller's way."""

from typing import Final

from kqi_hub.domain.ports import ClusterReader
from kqi_hub.services.associations import AssociationKeeper, take_over
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal, say
from kqi_hub.worker.steps import ASSOCIATIONS, StepFailed, step

# Operators change them by hand; a new person waits this long at most for a tenant.
INTERVAL_S: Final = 60.0


class Accounts:
    """Ask slurmdbd, which is not the controller, who may submit where."""

    def __init__(
        self,
        reader: ClusterReader,
        keeper: AssociationKeeper,
        journal: Journal,
        clocks: Clocks = Clocks(),  # noqa: B008  immutable, and nothing starts in it
    ) -> None:
        self._reader = reader
        self._keeper = keeper
        self._journal = journal
        self._clocks = clocks

    async def run(self) -> None:
        """Ask for ever; only cancelling ends it."""
        while True:
            await self.ask()
            await self._clocks.sleep(INTERVAL_S)

    async def ask(self) -> None:
        """Take the associations over, or note why that failed."""
        try:
            with step(ASSOCIATIONS):
                changed = await take_over(self._reader, self._keeper)
        except StepFailed as failed:
            self._journal.trouble(ASSOCIATIONS, failed.cause)
            return
        self._journal.fine(ASSOCIATIONS)
        if changed:
            say("associations", changed=True)
