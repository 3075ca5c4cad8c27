"""Keep what the hub's process remembers of its sessions true, without asking Slurm."""

import asyncio
import logging
from collections.abc import Collection, Sequence

from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.job import Job
from kqi_hub.services.session_run import Run
from kqi_hub.services.session_world import World

log = logging.getLogger(__name__)


class SessionWatch:
    """One small query a second; more only when the worker has looked at Slurm."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sequence = -1

    async def run_forever(self, runs: "Collection[Run]") -> None:
        """Look again and again; a database that does not answer is asked again."""
        while True:
            try:
                await self.look(tuple(runs))
            except KqiError as error:
                log.warning("Sessions are not compared with Slurm now: %s", error)
            await asyncio.sleep(self._world.times.watch)

    async def look(self, runs: Sequence[Run]) -> None:
        """Compare sessions with the worker's picture if it has a new one."""
        fresh = await asyncio.to_thread(self._world.snapshot.freshness)
        if fresh.sequence == self._sequence:
            return
        if runs:
            jobs, live = await asyncio.to_thread(self._read, runs)
            for run in runs:
                _compare(run, jobs, live, fresh.taken_at)
        self._sequence = fresh.sequence

    def _read(self, runs: Sequence[Run]) -> tuple[Sequence[Job], frozenset[int]]:
        ids = [run.job_id for run in runs if run.job_id is not None]
        names = [run.job_name for run in runs if run.unsure_since is not None]
        jobs = self._world.snapshot.known_jobs(ids, names)
        live = frozenset(session.id for session in self._world.sessions.live())
        return jobs, live


def _compare(
    run: Run, jobs: Sequence[Job], live: frozenset[int], taken_at: float | None
) -> None:
    for job in jobs:
        # Slurm's job ids come again one day; the name with its key does not.
        if job.name == run.job_name:
            run.job = job
    run.looked_at = taken_at
    is_over = run.job is not None and run.job.is_over
    if is_over or run.id not in live:
        run.end()
    run.move()
