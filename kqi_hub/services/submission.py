"""Bring runs to Slurm and stop them there, beside whatever the process does."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from kqi_hub.domain.errors import (
    ClusterUnreachable,
    DatabaseNotReady,
    DoorUnreachable,
    KqiError,
    NotFound,
)
from kqi_hub.domain.runs import Run, RunState
from kqi_hub.services.run_lease import LeaseLost
from kqi_hub.services.run_removing import remove_folders
from kqi_hub.services.run_submit import (
    Later,
    cancel_jobs,
    end_without_job,
    give_job,
    is_given_again,
    ready_script,
)
from kqi_hub.services.run_world import RunWorld

# So many submissions are under way at once; the others wait for their turn.
AT_ONCE: Final = 8
# What is at the door when a process ends may take so long to come back.
PATIENCE_S: Final = 5.0
# While these last, no other job has a better chance.
_EVERYBODYS: Final = (ClusterUnreachable, DoorUnreachable, DatabaseNotReady)
log = logging.getLogger(__name__)


class Submission:
    """What this process does about jobs that are asked for; call it from its loop."""

    def __init__(self, world: RunWorld, at_once: int = AT_ONCE) -> None:
        self.world = world
        self._room = asyncio.Semaphore(at_once)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        # Until when nobody's job can be submitted, and what was said of that.
        self._away_until = 0.0
        self._trouble = ""
        self._closing = asyncio.Event()

    @property
    def under_way(self) -> frozenset[str]:
        """Return the keys of the jobs that this process has not done with."""
        return frozenset(self._tasks)

    def begin(self, key: str) -> None:
        """Begin to submit the job of a key, beside; twice is once.

        What fails is left to the worker, which goes on with it.
        """
        if key in self._tasks or self._closing.is_set():
            return
        task = asyncio.create_task(self._submit(key))
        self._tasks[key] = task
        task.add_done_callback(partial(self._forget, key))

    async def stop(self, run: Run) -> None:
        """Cancel the job of a run that is noted as `stopping`; the worker repeats it.

        A run without a job ends without one. A Slurm that does not answer is no error.
        """
        if run.slurm_id:
            if not await asyncio.to_thread(is_given_again, self.world, run):
                await cancel_jobs(self.world, [run])
        elif run.state is RunState.PREPARED or not run.is_live:
            await end_without_job(self.world, run)
            await self._drop_order(run)
        else:
            self.begin(run.key)

    async def prepared(self, run: Run) -> str:
        """Return the script of a PREPARED run, with all in place that it needs."""
        if run.state is not RunState.PREPARED:
            raise NotFound(
                "Run {id} is no script to be submitted by hand.",
                "Look at its page for the script that was submitted.",
                id=run.id,
            )
        ready = await ready_script(self.world, (run,))
        await self.world.secrets.keep(run.owner, ready.name, ready.secret)
        await asyncio.to_thread(self.world.runs.keep_script, run.key, ready.text)
        return ready.text

    async def remove(self, person: str, runs: Sequence[Run]) -> None:
        """End TensorBoards of runs, and remove their folders, in their owner's name."""
        folders = [run.folder for run in runs if run.folder]
        if folders:
            await remove_folders(self.world, person, folders)

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    async def close(self, patience_s: float = PATIENCE_S) -> None:
        """End what goes on beside: what is at the door has so long to come back.

        Nothing new begins. Leases of the rest run out, and the worker goes on.
        """
        self._closing.set()
        tasks = tuple(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=patience_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _submit(self, key: str) -> None:
        try:
            async with self._room:
                await self._back()
                if self._closing.is_set():
                    return  # nobody has its lease: whoever sees it first goes on
                if await give_job(self.world, key):
                    self._trouble = ""
        except Later as later:
            self._note(key, later)
            # Until then the key counts as under way: nobody here tries it again.
            await self._rest(self.world.times.pause)
        except LeaseLost:
            log.warning("The job of %s is another process's affair now", key)

    async def _back(self) -> None:
        """Wait as long as nobody's job could be submitted: one try is enough."""
        left = self._away_until - asyncio.get_running_loop().time()
        if left > 0:
            await self._rest(left)

    async def _rest(self, seconds: float) -> None:
        """Wait so long, or until this process is about to end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    def _note(self, key: str, later: Later) -> None:
        """Say what keeps jobs from being submitted, once and not for each of them."""
        cause = later.__cause__
        if isinstance(cause, _EVERYBODYS):
            now = asyncio.get_running_loop().time()
            self._away_until = now + self.world.times.pause
        kind = type(cause).__name__
        if kind != self._trouble:
            log.warning("The job of %s is submitted later: %s", key, later)
        self._trouble = kind

    def _forget(self, key: str, task: "asyncio.Task[None]") -> None:
        del self._tasks[key]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("The job of %s is taken over later", key, exc_info=error)

    async def _drop_order(self, run: Run) -> None:
        try:
            await self.world.secrets.drop(run.owner, [run.job_name])
        except KqiError as error:
            log.warning("The order of %s stays: %s", run.job_name, error)
