"""The worker's part in runs: what is asked for is submitted, followed and collected."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from kqi_hub.domain.ports import SnapshotStore
from kqi_hub.domain.runs import Run
from kqi_hub.services.run_keeping import RunKeeper
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal, say
from kqi_hub.worker.steps import RUNS, StepFailed, step

# Between two looks at what is asked for, and at whether the picture is a new one.
GLANCE_S: Final = 2.0
# Folders of deleted runs that could not be removed at once are tried so seldom.
TIDY_S: Final = 60.0
# Scripts that are submitted by hand once more are looked for among all jobs.
ADOPT_S: Final = 15.0


class RunRounds:
    """Let the keeper do what is due, beside the poller: it never waits."""

    def __init__(
        self,
        keeper: RunKeeper,
        store: SnapshotStore,
        journal: Journal,
        clocks: Clocks = Clocks(),  # noqa: B008  immutable, and nothing starts in it
    ) -> None:
        self._keeper = keeper
        self._store = store
        self._journal = journal
        self._clocks = clocks
        self._sequence = -1
        self._tidy_at = float("-inf")
        self._adopt_at = float("-inf")

    async def run(self) -> None:
        """Look for ever; only cancelling ends it."""
        try:
            while True:
                await self.look()
                await self._clocks.sleep(GLANCE_S)
        finally:
            await self._keeper.close()

    async def look(self) -> None:
        """Do what is due once; what fails holds up nothing else."""
        failed = [
            error
            for todo in (self._keeper.take_over, self._follow, self._tidy)
            if (error := await self._tried(todo)) is not None
        ]
        for error in failed:
            self._journal.trouble(RUNS, error)
        if not failed:
            self._journal.fine(RUNS)

    async def _tried(self, todo: Callable[[], Awaitable[None]]) -> Exception | None:
        try:
            with step(RUNS):
                await todo()
        except StepFailed as failed:
            return failed.cause
        return None

    async def _follow(self) -> None:
        fresh = await asyncio.to_thread(self._store.freshness)
        if fresh.sequence == self._sequence:
            return
        # First, so that what fails is tried with the next picture, not each time.
        self._sequence = fresh.sequence
        if self._clocks.steady() - self._adopt_at >= ADOPT_S:
            self._adopt_at = self._clocks.steady()
            await self._keeper.adopt()
        await self._keeper.follow()

    async def _tidy(self) -> None:
        if self._clocks.steady() - self._tidy_at < TIDY_S:
            return
        self._tidy_at = self._clocks.steady()
        await self._keeper.tidy()


def tell_end(run: Run) -> None:
    """Write down that a run has ended."""
    say("run-ended", run=run.id, state=run.state)
