"""Let go of trees whose readers have ended, and remove those that nobody reads."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from kqi_hub.domain.data_ports import Store
from kqi_hub.domain.dataset_ports import (
    TreeNote,
    TreeStore,
    run_of_holder,
    session_of_holder,
)
from kqi_hub.domain.notebook_ports import SessionStore
from kqi_hub.domain.notebooks import Session
from kqi_hub.domain.run_ports import RunStore
from kqi_hub.domain.runs import Run


@dataclass(frozen=True)
class TreeKeeper:
    """The worker's part in trees."""

    trees: TreeStore
    sessions: SessionStore
    store: Store
    unused_s: float
    wall: Callable[[], float] = time.time
    runs: RunStore | None = None

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
        """Let go for sessions and runs that have ended, whoever was killed then."""
        for holder in self.trees.holders():
            session, run = session_of_holder(holder), run_of_holder(holder)
            if session is not None:
                self._release(holder, self.sessions.one(session))
            elif run is not None and self.runs is not None:
                self._release(holder, self.runs.one(run))

    def _release(self, holder: str, reader: Session | Run | None) -> None:
        if reader is None or not reader.is_live:
            ended = None if reader is None else reader.ended_at
            self.trees.release_trees(holder, ended or self.wall())

    def _begun(self) -> tuple[TreeNote, ...]:
        """Take what is unused out of use; return everything that is on its way out."""
        before = self.wall() - self.unused_s
        for note in self.trees.unused(before):
            self.trees.begin_removal(note.tenant, note.key, before)
        return self.trees.removing()
