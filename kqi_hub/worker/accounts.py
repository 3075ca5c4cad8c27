"""Keep the stored associations young: seldom asked, and never in the poller's way."""

from collections.abc import Awaitable, Callable
from typing import Final

from kqi_hub.domain.ports import ClusterReader
from kqi_hub.services.associations import (
    AssociationKeeper,
    take_over,
    take_over_qos,
)
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal, say
from kqi_hub.worker.steps import ASSOCIATIONS, QOS, StepFailed, step

# Operators change them by hand; a new person waits this long at most for a tenant.
INTERVAL_S: Final = 60.0
Take = Callable[[ClusterReader, AssociationKeeper], Awaitable[bool]]


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
        """Take associations and QOS over, or note why that failed."""
        await self._take(ASSOCIATIONS, take_over)
        await self._take(QOS, take_over_qos)

    async def _take(self, name: str, take: Take) -> None:
        try:
            with step(name):
                changed = await take(self._reader, self._keeper)
        except StepFailed as failed:
            self._journal.trouble(name, failed.cause)
            return
        self._journal.fine(name)
        if changed:
            say(name, changed=True)
