"""The worker's part in notebooks: sessions end when their jobs have ended."""

import asyncio
from collections.abc import Callable, Sequence
from logging import WARNING
from typing import Final

from kqi_hub.domain.job import Job
from kqi_hub.domain.ports import SnapshotStore
from kqi_hub.services.session_settling import SessionSettler
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal, say
from kqi_hub.worker.steps import NOTEBOOKS, StepFailed, step

# One row is read each time; more only when the picture is a new one.
GLANCE_S: Final = 1.0
# Stray jobs are looked for so seldom, for that reads every live job.
STRAYS_S: Final = 600.0


class NotebookSessions:
    """Settle sessions after each stored look, beside the poller: it never waits.

    Jobs of notebooks that no session has are told of in the log.
    """

    def __init__(
        self,
        settler: SessionSettler,
        store: SnapshotStore,
        journal: Journal,
        clocks: Clocks = Clocks(),  # noqa: B008  immutable, and nothing starts in it
        find_strays: Callable[[], Sequence[Job]] = tuple,
    ) -> None:
        self._settler = settler
        self._find_strays = find_strays
        self._strays_at = float("-inf")
        self._told: set[int] = set()
        self._store = store
        self._journal = journal
        self._clocks = clocks
        self._sequence = -1

    async def run(self) -> None:
        """Look for ever; only cancelling ends it."""
        while True:
            await self.look()
            await self._clocks.sleep(GLANCE_S)

    async def look(self) -> None:
        """Settle once if there is a new picture, or note why that failed."""
        try:
            with step(NOTEBOOKS):
                await self._settle()
        except StepFailed as failed:
            self._journal.trouble(NOTEBOOKS, failed.cause)
        else:
            self._journal.fine(NOTEBOOKS)

    async def _settle(self) -> None:
        fresh = await asyncio.to_thread(self._store.freshness)
        if fresh.sequence == self._sequence:
            return
        # First, so that what fails is tried with the next picture, not each second.
        self._sequence = fresh.sequence
        for session in await self._settler.settle():
            say("session-ended", session=session.id, cause=session.cause)
        if self._clocks.steady() - self._strays_at >= STRAYS_S:
            self._strays_at = self._clocks.steady()
            await self._tell_strays()

    async def _tell_strays(self) -> None:
        """Say of each stray job once that it is there; nobody ends it by himself."""
        strays = await asyncio.to_thread(self._find_strays)
        for job in strays:
            if job.job_id not in self._told:
                todo = "kqi-hub repair"
                say("stray-job", WARNING, job=job.job_id, person=job.user, see=todo)
        self._told = {job.job_id for job in strays}
