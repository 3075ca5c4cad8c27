"""A session's dataset: made ready before its job is submitted, and remembered."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from kqi_hub.domain.data import Kind, Thing, Use
from kqi_hub.domain.dataset_ports import UseStore, session_holder
from kqi_hub.domain.notebook_ports import DatasetPlace
from kqi_hub.domain.notebooks import Session
from kqi_hub.services.staging import Staging


@dataclass(frozen=True)
class SessionDatasets:
    """What sessions read, one for the hub's process."""

    staging: Staging
    uses: UseStore
    clock: Callable[[], float]

    async def __call__(self, session: Session) -> DatasetPlace | None:
        """Return where a session's dataset lies, held until the session ends.

        It is as the dataset is now: a notebook locks nothing, and a re-run sees what
        was changed (K-135, K-151). Raises what `Staging.stage` does.
        """
        number = session.chosen.dataset
        if number is None:
            return None
        staged = await self.staging.stage(number, session_holder(session.id))
        used = Thing(Kind.DATASET, str(number))
        by = Thing(Kind.NOTEBOOK, str(session.notebook_id))
        use = Use(used, by, self.clock(), locks=False)
        await asyncio.to_thread(self.uses.record, use)
        return DatasetPlace(number, staged.path)


async def no_dataset(_: Session) -> DatasetPlace | None:
    """Return nothing: there is no data store at this site."""
    return None
