"""Take over what ended runs have left, one person's folder beside the other's."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from kqi_hub.domain.errors import DoorRefused, KqiError
from kqi_hub.domain.run_ports import Collected
from kqi_hub.domain.runs import Run, RunState
from kqi_hub.services.run_world import RunWorld

# So many folders are read by one call of the door.
PER_CALL: Final = 50
# So many people's folders are read at once.
AT_ONCE: Final = 4
# A refusal is of this helper or of this person: it rarely passes.
_REFUSED_PART: Final = 0.1
# What is made of a run; returns what was found, with what could not be made in it.
Products = Callable[[Run, Collected], Awaitable[Collected]]
Ended = Callable[[Run], None]
log = logging.getLogger(__name__)


async def no_products(_run: Run, found: Collected) -> Collected:
    """Make nothing of what a run has left."""
    return found


class RunCollector:
    """Collect runs in the background; a folder that hangs holds up nobody else's."""

    def __init__(
        self,
        world: RunWorld,
        products: Products = no_products,
        told: Ended = lambda _: None,
    ) -> None:
        self._world = world
        self._products = products
        self._told = told
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._not_before: dict[str, float] = {}

    def begin(self, runs: Iterable[Run]) -> None:
        """Begin to collect runs; those of people whose folder is being read wait."""
        now = self._world.clock()
        by_owner: dict[str, list[Run]] = {}
        for run in runs:
            if self._not_before.get(run.owner, 0.0) <= now:
                by_owner.setdefault(run.owner, []).append(run)
        for owner, some in by_owner.items():
            if owner not in self._tasks:
                task = asyncio.create_task(self._collect(owner, some))
                self._tasks[owner] = task
                task.add_done_callback(partial(self._over, owner))

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    async def close(self) -> None:
        """End what goes on; all of it can be done again."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _over(self, owner: str, task: "asyncio.Task[None]") -> None:
        del self._tasks[owner]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._pause(owner)
            log.error("Runs of %s are collected again", owner, exc_info=error)

    def _pause(self, owner: str) -> None:
        self._not_before[owner] = self._world.clock() + self._world.times.pause

    async def _collect(self, owner: str, runs: Sequence[Run]) -> None:
        async with self._room:
            self._not_before.pop(owner, None)
            going = [run for run in runs if run.going_at is not None]
            # What they have left goes with them: nobody reads it.
            await self._keep_all(owner, going, {})
            for some in _batches([run for run in runs if run.going_at is None]):
                try:
                    found = await self._world.outputs.collect(owner, some)
                except KqiError as error:
                    log.warning("Runs of %s are collected again: %s", owner, error)
                    self._pause(owner)
                    await self._give_up(some, error)
                    return
                await self._keep_all(owner, some, found)

    async def _keep_all(
        self, owner: str, runs: Sequence[Run], found: Mapping[int, Collected | None]
    ) -> None:
        """Store what was found; the orders of these jobs are needed no longer."""
        ready = [run for run in runs if not self._is_late(run, found.get(run.id))]
        if not ready:
            return
        await self._drop_orders(owner, ready)
        for run in ready:
            try:
                await self._keep(run, found.get(run.id) or Collected())
            except KqiError as error:
                log.warning("Run %d is collected again: %s", run.id, error)
                self._pause(owner)

    async def _drop_orders(self, owner: str, ready: Sequence[Run]) -> None:
        """Remove the orders of jobs; tasks that have not begun need theirs."""
        done = {run.id for run in ready}
        names = []
        for run in {one.key: one for one in ready}.values():
            others = await asyncio.to_thread(self._world.runs.named, run.key)
            if all(one.id in done or not one.is_live for one in others):
                names.append(run.job_name)
        if not names:
            return
        try:
            await self._world.secrets.drop(owner, sorted(names))
        except KqiError as error:
            log.warning("Orders of %s stay: %s", owner, error)

    async def _keep(self, run: Run, found: Collected) -> None:
        """Make products, let go of data, and at last store: each can be done again."""
        outcome = run.outcome or RunState.UNKNOWN
        known = run.exit_code
        final = replace(
            found,
            state=outcome,
            exit_code=found.exit_code if known is None else known,
            detail=found.detail or run.detail,
        )
        if run.going_at is None:
            final = await self._products(run, final)
        await self._world.release(run)
        now = self._world.clock()
        ended = await asyncio.to_thread(self._world.runs.collected, run.id, final, now)
        self._told(ended)

    def _is_late(self, run: Run, found: Collected | None) -> bool:
        """Tell whether a result may still come into sight: file systems are shared."""
        if run.began_at is None or run.outcome is RunState.NODE_FAILED:
            return False
        if run.going_at is not None:
            return False
        has_result = found is not None and found.exit_code is not None
        # By our own clock: a node's may be another one.
        since = max(0.0, self._world.clock() - run.changed_at)
        return not has_result and since < self._world.times.late

    async def _give_up(self, runs: Sequence[Run], error: KqiError) -> None:
        """End runs whose folder could not be read for too long, and say so."""
        patience = self._world.times.give_up
        if isinstance(error, DoorRefused):
            patience *= _REFUSED_PART
        for run in runs:
            if self._world.clock() - (run.ended_at or run.changed_at) >= patience:
                detail = f"{run.detail} Its results could not be read: {error}".strip()
                await self._keep(run, Collected(detail=detail))


def _batches(runs: Sequence[Run]) -> Iterator[Sequence[Run]]:
    for start in range(0, len(runs), PER_CALL):
        yield runs[start : start + PER_CALL]
