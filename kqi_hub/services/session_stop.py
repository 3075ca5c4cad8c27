"""End a session's job, once somebody asked for that, until Slurm has taken it."""

import asyncio
import logging

from kqi_hub.domain.errors import ClusterError, DoorError, KqiError, NoSuchJob
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause
from kqi_hub.services.session_run import Run
from kqi_hub.services.session_submit import find_job
from kqi_hub.services.session_world import World

log = logging.getLogger(__name__)


async def end_job(world: World, run: Run, cause: Cause) -> None:
    """Cancel the session's job and note its end, as soon as that is certain.

    Of a job that ran, the end is noted by its own last word, else by the worker.
    """
    await _settled(run)
    job_id = run.job_id
    if job_id is None and run.unsure_since is not None:
        job_id = await find_job(world, run)
    if job_id is None:
        await note_end(world, run, cause)
        return
    had_begun = run.has_begun
    await _cancel(world, run, job_id)
    if had_begun:
        await run.until(lambda: run.over, world.times.last_word)
    if run.over or not had_begun:
        await note_end(world, run, cause)
    else:
        await asyncio.to_thread(world.snapshot.request_refresh, world.clock())


async def note_end(world: World, run: Run, cause: Cause) -> None:
    """Note the end; a cause that was told before outranks this one."""
    end = SessionEnd(world.clock(), cause, run.failure, run.exit_code, run.seen)
    await asyncio.to_thread(world.sessions.ended, run.id, end)
    run.end()


async def drop_secret(world: World, run: Run) -> None:
    """Remove the session's secret file; one that stays holds dead tokens."""
    try:
        await world.secret_files.drop(run.owner, [run.job_name])
    except KqiError as error:
        log.warning("The secret file of %s stays: %s", run.job_name, error)


async def _settled(run: Run) -> None:
    """Wait for a submission under way: what it leaves is what must be cancelled."""
    if run.submission is not None and not run.submission.done():
        await asyncio.wait({run.submission})


async def _cancel(world: World, run: Run, job_id: int) -> None:
    while not run.over:
        try:
            await world.slurm.cancel(run.owner, [job_id])
        except NoSuchJob:
            return
        except (ClusterError, DoorError) as error:
            log.warning("Job %d is cancelled again soon: %s", job_id, error)
            await run.until(lambda: run.over, world.times.pause)
        else:
            return
