"""Keep searches of lists of runs under a name, and forget them (KX-40)."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.listing import unread_of
from kqi_hub.domain.run_list import RunQuestion, filter_of
from kqi_hub.domain.run_searches import RunSearch, RunSearchStore, checked_name
from kqi_hub.domain.runs import RunKind


@dataclass(frozen=True)
class RunSearches:
    """Everybody's searches; each sees their own."""

    store: RunSearchStore
    zone: tzinfo = UTC
    wall: Callable[[], float] = time.time

    async def list(self, person: str, kind: RunKind) -> tuple[RunSearch, ...]:
        """Return a person's for one list, by name."""
        return await asyncio.to_thread(self.store.searches, person, kind)

    async def keep(
        self, person: str, kind: RunKind, search: RunSearch, asked: RunQuestion
    ) -> RunSearch:
        """Keep a search that can be applied: `asked` is what its query means.

        Another of its name is replaced.
        """
        kept = RunSearch(checked_name(search.name), search.query)
        if not kept.query:
            raise InvalidInput(
                "This search has no conditions.", "Look for something first."
            )
        if unread := unread_of(asked, self.zone):
            raise InvalidInput(
                "{fields}: this condition cannot be read.",
                "Numbers: 12, >=20, <40. Dates: 2026-11-21, >=2026-11. Several with a "
                "comma between.",
                fields=", ".join(unread),
            )
        # Refuses states, tags and orders that the list would refuse.
        filter_of(kind, asked, None, self.zone)
        await asyncio.to_thread(self.store.keep, person, kind, kept, self.wall())
        return kept

    async def drop(self, person: str, kind: RunKind, name: str) -> None:
        """Forget one; one that is not there is no error."""
        await asyncio.to_thread(self.store.drop, person, kind, name.strip())
