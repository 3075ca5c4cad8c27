"""Let go of trees whose readers have ended, and remove those that nobody reads."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from kqi_hub.domain.data_ports import Store
from kqi_hub.domain.dataset_ports import TreeNote, TreeStore, session_of_holder
from kqi_hub.domain.notebook_ports import SessionStore


@dataclass(frozen=True)
class TreeKeeper:
    """The worker's part in trees."""

    trees: TreeStore
    sessions: SessionStore
    store: Store
    unused_s: float
    wall: Callable[[], float] = time.time

    async def look(self) -> tuple[TreeNote, ...]:
        """Release and remove what is due; return the trees that were removed.

        A removal that was cut off goes on with the next look. Raises what the store
        says; what was done stays done.
        """
        await asyncio.to_thread(self._release_ended)
        begun = await asyncio.to_thread(self._begun)
        for note in begun:
            await self.store.drop_tree(note.tenant, note.key)
            await asyncio.to_thread(self.trees.forget, note.tenant, note.key)
        return begun

    def _release_ended(self) -> None:
        """Let go for sessions that have ended: jobs end without telling us."""
        for holder in self.trees.holders():
            number = session_of_holder(holder)
            if number is None:
                continue
            session = self.sessions.one(number)
            if session is None or not session.is_live:
                ended = None if session is None else session.ended_at
                self.trees.release_trees(holder, ended or self.wall())

    def _begun(self) -> tuple[TreeNote, ...]:
        """Take what is unused out of use; return everything that is on its way out."""
        before = self.wall() - self.unused_s
        for note in self.trees.unused(before):
            self.trees.begin_removal(note.tenant, note.key, before)
        return self.trees.removing()
