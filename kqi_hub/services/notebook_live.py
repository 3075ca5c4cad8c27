"""Tell open pages what becomes of a person's notebooks."""

import asyncio
from collections.abc import Mapping

from kqi_hub.services.notebooks import Notebooks


class NotebookNews:
    """A source of live events: pages fetch what they show when this differs."""

    def __init__(self, notebooks: Notebooks) -> None:
        self._notebooks = notebooks

    async def look(self, people: frozenset[str]) -> Mapping[str, Mapping[str, object]]:
        """Return a stamp for each person, which changes with each of their sessions."""
        store = self._notebooks.session_store
        found = await asyncio.to_thread(store.stamps, people)
        picture = await self._notebooks.queues.board.current()
        return {
            person: {
                "stamp": found.get(person, 0.0),
                "version": picture.version,
                "trust": picture.trust.value,
            }
            for person in people
        }
