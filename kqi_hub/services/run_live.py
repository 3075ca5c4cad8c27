"""Tell open pages what becomes of the runs of a person's tenants."""

import asyncio
from collections.abc import Mapping

from kqi_hub.services.runs import Runs


class RunNews:
    """A source of live events: pages fetch what they show when this differs."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def look(self, people: frozenset[str]) -> Mapping[str, Mapping[str, object]]:
        """Return a stamp for everybody, which changes with each change of a run.

        Who belongs to which tenant changes seldom and is asked elsewhere; a page that
        looks once too often reads its list once too often.
        """
        stamps = await asyncio.to_thread(self._runs.store.stamps)
        picture = await self._runs.queues.board.current()
        told = {
            "stamp": sum(stamps.values()),
            "version": picture.version,
            "trust": picture.trust.value,
        }
        return dict.fromkeys(people, told)
