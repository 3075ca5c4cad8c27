"""Runs whose waiting job slurmctld has lost: they are asked for again.

A slurmctld that is killed forgets what it took in its last seconds, and gives those
numbers again; accounting keeps such a job as waiting for ever. What is asked for again
is looked for at Slurm twice more before it is submitted (run_submit.py).
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.run_states import only_waited
from kqi_hub.domain.runs import Run, RunState
from kqi_hub.services.run_world import RunWorld

log = logging.getLogger(__name__)


class RunLosses:
    """Ask again for what was lost, once for each job that a run had."""

    def __init__(self, world: RunWorld) -> None:
        self._world = world
        # Runs with the number of the job that they had.
        self._asked: set[tuple[int, int | None]] = set()

    async def ask_again(self, missing: Iterable[Run]) -> frozenset[int]:
        """Ask again for runs whose job is nowhere, an array as a whole; return them."""
        by_key: dict[str, list[Run]] = {}
        for run in filter(self._may_be_lost, missing):
            by_key.setdefault(run.key, []).append(run)
        by_owner: dict[str, list[Sequence[Run]]] = {}
        for some in by_key.values():
            if await self._are_all(some):
                by_owner.setdefault(some[0].owner, []).append(some)
        asked: set[int] = set()
        for owner, jobs in by_owner.items():
            for lost in await self._without_results(owner, jobs):
                asked |= await self._ask(lost)
        return frozenset(asked)

    def _may_be_lost(self, run: Run) -> bool:
        return only_waited(run) and (run.id, run.job_id) not in self._asked

    async def _are_all(self, some: Sequence[Run]) -> bool:
        """Tell whether no other task of a job ever began."""
        others = await asyncio.to_thread(self._world.runs.named, some[0].key)
        job_id, mine = some[0].job_id, {run.id for run in some}
        return not any(one.job_id == job_id and one.id not in mine for one in others)

    async def _without_results(
        self, owner: str, jobs: Sequence[Sequence[Run]]
    ) -> Sequence[Sequence[Run]]:
        """Return those of a person's jobs that left nothing: one question for all."""
        try:
            found = await self._world.outputs.collect(
                owner, [run for some in jobs for run in some]
            )
        except KqiError as error:
            log.warning("Jobs of %s are not given up yet: %s", owner, error)
            return ()
        return [some for some in jobs if not any(found.get(run.id) for run in some)]

    async def _ask(self, some: Sequence[Run]) -> set[int]:
        numbers, job_id = [run.id for run in some], some[0].job_id
        if job_id is None:
            return set()
        self._asked.update((number, job_id) for number in numbers)
        now = self._world.clock()
        runs = await asyncio.to_thread(self._world.runs.forgotten, numbers, job_id, now)
        asked = {run.id for run in runs if run.state is RunState.ASKED}
        if asked:
            log.warning("Slurm has lost job %d of run %d", job_id, numbers[0])
        return asked
