"""The worker's part in data: what was begun is ended, and store and database agree."""

from logging import WARNING
from typing import Final

from kqi_hub.domain.data_item_ports import Comparison
from kqi_hub.services.data_keeping import DataKeeper, Deed
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal, say
from kqi_hub.worker.steps import DATA, StepFailed, step

ROUND_S: Final = 30.0


class DataRounds:
    """Let the keeper do what is due, beside the poller: it never waits."""

    def __init__(
        self,
        keeper: DataKeeper,
        journal: Journal,
        clocks: Clocks = Clocks(),  # noqa: B008  immutable, and nothing starts in it
    ) -> None:
        self._keeper = keeper
        self._journal = journal
        self._clocks = clocks

    async def run(self) -> None:
        """Go round for ever; only cancelling ends it."""
        while True:
            await self.round()
            await self._clocks.sleep(ROUND_S)

    async def round(self) -> None:
        """Do what is due once, or note why that failed."""
        try:
            with step(DATA):
                deeds = await self._keeper.round()
                compared = await self._keeper.compare()
        except StepFailed as failed:
            self._journal.trouble(DATA, failed.cause)
            return
        self._tell(deeds)
        for one in compared:
            _tell_comparison(one)

    def _tell(self, deeds: tuple[Deed, ...]) -> None:
        """Write what was done; of what fails, one line until it works again."""
        failed = next((one for one in deeds if one.error is not None), None)
        if failed is not None and failed.error is not None:
            self._journal.trouble(DATA, failed.error)
        else:
            self._journal.fine(DATA)
        for one in deeds:
            if one.error is None:
                say(one.what, name=one.name)


def _tell_comparison(one: Comparison) -> None:
    if one.trouble:
        say("store-not-compared", WARNING, tenant=one.tenant, error=one.trouble)
    elif one.strays or one.missing:
        say(
            "store-disagrees",
            WARNING,
            tenant=one.tenant,
            strays=one.strays,
            stray_bytes=one.stray_bytes,
            missing=",".join(map(str, one.missing[:20])),
            see="kqi-hub doctor",
        )
