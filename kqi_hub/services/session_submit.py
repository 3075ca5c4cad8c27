"""Give a session its one job: submit it, or find the one that it may have already."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from kqi_hub.domain.errors import (
    ClusterError,
    ClusterRefused,
    ClusterTimedOut,
    ClusterUnreachable,
    DoorBroken,
    DoorUnreachable,
    KqiError,
)
from kqi_hub.domain.full_disk import saying_of_full_disk
from kqi_hub.domain.notebook_ports import DatasetPlace, SessionEnd
from kqi_hub.domain.notebooks import Cause
from kqi_hub.domain.ports import BatchScript
from kqi_hub.services.session_run import Run, StartFailed
from kqi_hub.services.session_world import World

log = logging.getLogger(__name__)
# Clocks of the portal and of accounting may differ by this much.
_CLOCK_SLACK_S: Final = 300.0
# So many answers must lack a job, some seconds apart: one may be older than the other.
_DENIALS: Final = 2


async def give_job(
    world: World, run: Run, hub: Mapping[str, str], *, is_told: bool
) -> None:
    """Return when the session has its job; `is_told`: its secret file is still right.

    Raises what Slurm or the door says when there is to be no job.
    """
    if run.job_id is not None:
        if not is_told:
            await _tell(world, run, hub)
        return
    script = await asyncio.to_thread(world.script, run.session)
    ready = replace(script, secret=await _secret(world, run, hub))
    while (job_id := await _submitted(world, run, ready)) is None:
        if run.stop_asked:
            raise StartFailed("The notebook was stopped before it was submitted.")
    run.job_id = job_id
    now = world.clock()
    run.session = await asyncio.to_thread(world.sessions.submitted, run.id, job_id, now)


async def _submitted(world: World, run: Run, script: BatchScript) -> int | None:
    """Return the job; None when it is known that there is none yet."""
    if run.unsure_since is not None:
        found = await find_job(world, run)
        if found is not None:
            await _keep(world, run, script.secret)
            return found
        run.unsure_since = None
        return None
    try:
        await world.folders(run.owner)
        return await world.slurm.submit(run.owner, script)
    except ClusterTimedOut as error:
        log.warning("Whether Slurm has job %s will be seen: %s", run.job_name, error)
        run.unsure_since = world.clock()
    except (ClusterUnreachable, DoorUnreachable, DoorBroken) as error:
        # DoorBroken is of the folders: of a submission it is ClusterTimedOut.
        log.warning("Job %s is not submitted yet: %s", run.job_name, error)
        await run.until(lambda: run.stop_asked, world.times.pause)
    except KqiError as error:
        await _note_refusal(world, run, error)
        raise
    return None


async def find_job(world: World, run: Run) -> int | None:
    """Return the job of an unsure submission, None once none is proved to exist.

    Waits for a look at Slurm that is younger than the submission.
    """
    denials = 0
    while denials < _DENIALS:
        if run.job is not None:
            return run.job.job_id
        if run.began or _looked_since(run):
            found = await _ask(world, run)
            if found:
                return found[0]
            if found is not None and not run.began:
                denials += 1
        await run.until(lambda: run.job is not None, world.times.settle)
    return None


def _looked_since(run: Run) -> bool:
    since, looked = run.unsure_since, run.looked_at
    return since is not None and looked is not None and looked > since


async def _ask(world: World, run: Run) -> Sequence[int] | None:
    """Return the ids of the session's jobs, None when Slurm does not say."""
    since = run.session.asked_at - _CLOCK_SLACK_S
    try:
        return await world.slurm.find(run.owner, run.job_name, since)
    except ClusterError as error:
        log.warning("Job %s is looked for again: %s", run.job_name, error)
        return None


async def _note_refusal(world: World, run: Run, error: KqiError) -> None:
    refused = isinstance(error, ClusterRefused)
    detail = error.reason if isinstance(error, ClusterRefused) else _told(run, error)
    cause = Cause.REFUSED if refused else Cause.FAILED
    end = SessionEnd(world.clock(), cause, detail)
    await asyncio.to_thread(world.sessions.ended, run.id, end)
    run.end()


def _told(run: Run, error: KqiError) -> str:
    """Return what kept a session from being submitted, and what to do about it."""
    saying = saying_of_full_disk(error.message)
    if saying:
        return (
            f"The scratch folder of {run.owner} is full. Delete files there that are "
            f"no longer needed, then start it again ({saying})."
        )
    return error.message


async def _tell(world: World, run: Run, hub: Mapping[str, str]) -> None:
    await _keep(world, run, await _secret(world, run, hub))


async def _secret(world: World, run: Run, hub: Mapping[str, str]) -> str:
    """Return the text of the secret file, with the dataset made ready."""
    dataset = await _dataset(world, run)
    return await asyncio.to_thread(world.secret, run.session, hub, dataset)


async def _dataset(world: World, run: Run) -> DatasetPlace | None:
    """Return where the session's dataset lies, however long that takes to make."""
    number = run.session.chosen.dataset
    if number is None:
        return None
    try:
        return await _made_ready(world, run)
    except StartFailed:
        raise
    except KqiError as error:
        log.warning("Session %d gets no dataset: %s", run.id, error)
        if run.job_id is None and run.unsure_since is None:
            await _note_refusal(world, run, error)
            raise
    # Its job exists, or may: it begins without, and says so.
    return DatasetPlace(number, "")


async def _made_ready(world: World, run: Run) -> DatasetPlace | None:
    """Wait for the dataset, but no longer than somebody wants the session."""
    making = asyncio.ensure_future(world.dataset(run.session))

    def made(done: "asyncio.Future[DatasetPlace | None]") -> None:
        if not done.cancelled():
            done.exception()  # where somebody stopped it, nobody else asks for that
        run.move()

    making.add_done_callback(made)
    try:
        await run.until(
            lambda: making.done() or run.stop_asked, world.times.longest_wait
        )
        if run.stop_asked or not making.done():
            raise StartFailed("The notebook was stopped before its dataset was ready.")
        return making.result()
    finally:
        making.cancel()


async def _keep(world: World, run: Run, text: str) -> None:
    await world.secret_files.keep(run.owner, run.job_name, text)
