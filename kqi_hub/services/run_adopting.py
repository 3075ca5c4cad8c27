"""Jobs of scripts that people submitted by hand once more: each becomes a run, too."""

import asyncio
import logging
import re
from typing import Final

from kqi_hub.domain.job import Job
from kqi_hub.domain.runs import Run, RunState
from kqi_hub.services.run_world import RunWorld

_OURS: Final = re.compile(
    r"(?:training|inference|preprocessing)-[1-9][0-9]{0,17}-([a-z2-7]{26})", re.ASCII
)
log = logging.getLogger(__name__)


async def adopt_jobs(world: RunWorld) -> tuple[Run, ...]:
    """Make a copy of a run for each further job of its name; return the copies.

    Reads every live job: call it seldom. A job of somebody else is none of it.
    """
    jobs = await asyncio.to_thread(world.picture.live_jobs)
    adopted = []
    for job in jobs:
        found = _OURS.fullmatch(job.name)
        if found is None:
            continue
        of_key = await asyncio.to_thread(world.runs.named, found[1])
        original = original_of(job, of_key)
        if original is not None:
            copy = await asyncio.to_thread(
                world.runs.adopted, original.id, job.job_id, world.clock()
            )
            log.info("Job %d of %s is run %d", job.job_id, job.user, copy.id)
            adopted.append(copy)
    return tuple(adopted)


def original_of(job: Job, of_key: tuple[Run, ...]) -> Run | None:
    """Return the run of which a job is one more; None when it is known, or nobody's.

    What is on its way to Slurm or waits for a hand is noted elsewhere.
    """
    if any(run.job_id == job.job_id for run in of_key):
        return None
    for run in of_key:
        is_it = run.job_name == job.name and run.owner == job.user
        awaits = run.job_id is None and run.is_live
        if run.spec.is_outside:
            # It never had a script: whoever gives a job its name means something else.
            return None
        if is_it and run.copied_from is None and not awaits:
            return None if run.state is RunState.REFUSED else run
    return None
