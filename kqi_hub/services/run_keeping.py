"""What the worker does for runs: take over, follow, collect, tidy up."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

from kqi_hub.domain.errors import Conflict, KqiError
from kqi_hub.domain.run_ports import Removal
from kqi_hub.domain.runs import Run, RunState
from kqi_hub.services.run_adopting import adopt_jobs
from kqi_hub.services.run_collecting import Products, RunCollector, no_products
from kqi_hub.services.run_following import RunFollower
from kqi_hub.services.run_removing import remove_folders
from kqi_hub.services.run_world import RunWorld
from kqi_hub.services.submission import Submission

_REMOVALS_AT_ONCE: Final = 100
log = logging.getLogger(__name__)


class RunKeeper:
    """The runs of everybody, kept up with what Slurm does; one for the cluster."""

    def __init__(
        self,
        world: RunWorld,
        products: Products = no_products,
        told: Callable[[Run], None] = lambda _: None,
    ) -> None:
        self.world = world
        self.submission = Submission(world)
        self.collector = RunCollector(world, products, told)
        self._follower = RunFollower(world)

    async def take_over(self) -> None:
        """Go on with what is asked for and nobody does, and with what has ended."""
        live = await asyncio.to_thread(self.world.runs.live)
        before = self.world.clock() - self.world.times.young
        for run in live:
            if run.state is RunState.ASKED and run.asked_at <= before:
                self.submission.begin(run.key)
        self.collector.begin(run for run in live if run.state is RunState.COLLECTING)

    async def follow(self) -> None:
        """Compare runs with a new picture; call it once for each."""
        self.collector.begin(await self._follower.follow())

    async def adopt(self) -> None:
        """Give runs to jobs that were submitted by hand once more; call it seldom."""
        await adopt_jobs(self.world)

    async def tidy(self) -> None:
        """Remove folders of deleted runs; what cannot be removed stays noted."""
        due = await asyncio.to_thread(self.world.runs.removals, _REMOVALS_AT_ONCE)
        for owner, some in _by_owner(due).items():
            try:
                await self._remove(owner, some)
            except Conflict:
                # One of them stays: the others are not to wait for it.
                for one in some:
                    with suppress(Conflict):
                        await self._remove(owner, [one])
            except KqiError as error:
                log.warning("Folders of runs of %s stay: %s", owner, error)

    async def _remove(self, owner: str, some: Sequence[Removal]) -> None:
        await remove_folders(self.world, owner, [one.folder for one in some])
        numbers = [one.run_id for one in some]
        await asyncio.to_thread(self.world.runs.removed, numbers)

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        await self.submission.idle()
        await self.collector.idle()

    async def close(self) -> None:
        """End what goes on beside; the next worker goes on with it."""
        await self.submission.close()
        await self.collector.close()


def _by_owner(due: Iterable[Removal]) -> dict[str, list[Removal]]:
    found: dict[str, list[Removal]] = {}
    for one in due:
        found.setdefault(one.owner, []).append(one)
    return found
