"""Give a run its one job: submit it, or find the one that it may have already.

The script is stored right before Slurm is asked: a run that is asked for and has a
stored script may have a job, whatever became of the process that stored it. Such a
job is looked for by its name, and only two denials in a row prove that there is none.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from kqi_hub.domain.errors import (
    ClusterError,
    ClusterRefused,
    ClusterTimedOut,
    ClusterUnreachable,
    Conflict,
    DatabaseNotReady,
    DoorBroken,
    DoorError,
    DoorUnreachable,
    KqiError,
    NoSuchJob,
    StoreUnavailable,
)
from kqi_hub.domain.full_disk import saying_of_full_disk
from kqi_hub.domain.ports import BatchScript
from kqi_hub.domain.run_ports import Told
from kqi_hub.domain.runs import Run, RunState
from kqi_hub.services.run_lease import Lease
from kqi_hub.services.run_world import RunWorld

log = logging.getLogger(__name__)
# Clocks of the portal and of accounting may differ by this much.
_CLOCK_SLACK_S: Final = 300.0
# So many answers must lack a job, some seconds apart: one may be older than the other.
_DENIALS: Final = 2
# After so many questions without an answer a job is looked for later: whoever asks
# for one holds a place that others could submit in.
_SILENCES: Final = 5
# A job that came second is cancelled by nobody else, so it is tried so often.
_CANCELLATIONS: Final = 6
# These say nothing of the run: the same may go well a moment later.
PASSING: Final = (
    ClusterUnreachable,
    ClusterTimedOut,
    DoorUnreachable,
    DoorBroken,
    StoreUnavailable,
    DatabaseNotReady,
    Conflict,
)


class Later(Exception):
    """No job is known to be at Slurm, and why; somebody tries again in a while."""


async def give_job(world: RunWorld, key: str) -> bool:
    """Return when the job of this key is at Slurm, refused or given up.

    False: another process is at it. Raises Later, LeaseLost, and whatever else went
    wrong; the lease then runs out, for nobody knows what is under way.
    """
    lease = Lease(world, key)
    if not await lease.take():
        return False
    async with lease.kept():
        try:
            await _settled(world, lease)
        except Later:
            await lease.give_back()
            raise
    await lease.give_back()
    return True


async def _settled(world: RunWorld, lease: Lease) -> None:
    runs, may_exist = await asyncio.to_thread(_begun, world, lease.key)
    while runs:
        if may_exist:
            found = await find_job(world, runs[0])
            if found is not None:
                await note_job(world, runs, found)
                return
            await asyncio.to_thread(world.runs.keep_script, lease.key, "")
        may_exist = not await _submitted(world, lease, runs)
        runs = await asyncio.to_thread(_asked, world, lease.key)


def _begun(world: RunWorld, key: str) -> tuple[tuple[Run, ...], bool]:
    """Return the runs that have no job, and whether they may have one. Blocks."""
    runs = _asked(world, key)
    return runs, bool(runs and world.runs.script(runs[0].id))


def _asked(world: RunWorld, key: str) -> tuple[Run, ...]:
    """Return the runs of the job that still have none. Blocks."""
    return tuple(run for run in world.runs.named(key) if run.state is RunState.ASKED)


async def _submitted(world: RunWorld, lease: Lease, runs: tuple[Run, ...]) -> bool:
    """Submit once; False when nobody knows whether Slurm has it now."""
    runs = await _wanted(world, runs)
    if not runs:
        return True
    try:
        ready = await ready_script(world, runs)
    except PASSING as error:
        raise Later(str(error)) from error
    except KqiError as error:
        await _refuse(world, runs, error)
        return True
    # Read again now that it is ours for sure: whoever had it meanwhile may be done.
    runs = await _wanted(world, await lease.hand_over(ready.text))
    if not runs:
        return True
    return await _through_the_door(world, runs, ready)


async def _through_the_door(
    world: RunWorld, runs: tuple[Run, ...], ready: BatchScript
) -> bool:
    owner, key = runs[0].owner, runs[0].key
    try:
        job_id = await world.slurm.submit(owner, ready)
    except ClusterTimedOut as error:
        log.warning("Whether Slurm has job %s will be seen: %s", ready.name, error)
        return False
    except (ClusterUnreachable, DoorUnreachable) as error:
        await asyncio.to_thread(world.runs.keep_script, key, "")
        raise Later(str(error)) from error
    except KqiError as error:
        await _refuse(world, runs, error)
        return True
    await note_job(world, runs, job_id)
    return True


async def ready_script(world: RunWorld, runs: tuple[Run, ...]) -> BatchScript:
    """Return the script of a job with its order, all that it needs made ready."""
    parts = await world.parts(runs)

    def texts() -> BatchScript:
        return replace(world.script(runs), secret=world.order(parts))

    ready = await asyncio.to_thread(texts)
    await world.folders(runs[0].owner)
    return ready


async def _wanted(world: RunWorld, runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """Return the runs, or end all of them if nobody wants any of them any more.

    Single tasks of an array are cancelled once the array is there.
    """
    if not all(run.stopping for run in runs):
        return runs
    for run in runs:
        await end_without_job(world, run)
    return ()


async def end_without_job(world: RunWorld, run: Run) -> None:
    """End a run that was stopped and is known to have no job."""
    now = world.clock()
    called = run.stopping or RunState.USER_CANCELED
    # Before the end is noted: with that, one that is being deleted is gone.
    await world.release(run)
    await asyncio.to_thread(world.runs.told, run.id, Told(called, now, ended_at=now))


async def note_job(world: RunWorld, runs: Iterable[Run], job_id: int) -> None:
    """Note the job; cancel what is not wanted, and a job that came second."""
    numbers = [run.id for run in runs]
    noted = await asyncio.to_thread(
        world.runs.submitted, numbers, job_id, world.clock()
    )
    second = [one for one in noted if one.job_id != job_id]
    if second:
        log.warning("Run %d wants no job %d: cancelled", second[0].id, job_id)
        extra = replace(second[0], job_id=job_id, task=None)
        await _cancel_for_sure(world, extra)
        return
    stopped = [one for one in noted if one.stopping is not None]
    if stopped:
        await cancel_jobs(world, stopped)


async def _cancel_for_sure(world: RunWorld, extra: Run) -> None:
    for _ in range(_CANCELLATIONS):
        if await cancel_jobs(world, [extra]):
            return
        await asyncio.sleep(world.times.pause)
    log.error("Job %s of %s must be cancelled by hand", extra.job_id, extra.owner)


async def cancel_jobs(world: RunWorld, runs: Iterable[Run]) -> bool:
    """Cancel the jobs of one person's runs; False: it has to be repeated."""
    some = [run for run in runs if run.slurm_id]
    if not some:
        return True
    try:
        await world.slurm.cancel(some[0].owner, _numbers(some))
    except NoSuchJob:
        return True
    except (ClusterError, DoorError) as error:
        log.warning("Jobs of %s are cancelled again: %s", some[0].owner, error)
        return False
    await asyncio.to_thread(world.picture.request_refresh, world.clock())
    return True


def is_given_again(world: RunWorld, run: Run) -> bool:
    """Tell whether the number of a run's job is another job's now. Blocks.

    A slurmctld that was killed has forgotten what it took last, and counts on from
    before: to cancel by the number would end somebody else's work of the same person.
    """
    number = run.job_id
    known = world.picture.known_jobs([] if number is None else [number])
    names = {job.name for job in known if number in {job.job_id, job.array_id}}
    return bool(names) and run.job_name not in names


def _numbers(runs: Iterable[Run]) -> list[int | str]:
    return [run.slurm_id if run.task is not None else run.job_id or 0 for run in runs]


async def find_job(world: RunWorld, run: Run) -> int | None:
    """Return the job of an unsure submission, None once none is proved to exist.

    Only answers count that were asked for now, some seconds apart. Raises Later where
    too few come: what is kept of the script says that it is to be looked for again.
    """
    denials = silences = 0
    while denials < _DENIALS:
        seen = await asyncio.to_thread(_in_picture, world, run)
        if seen is not None:
            return seen
        await asyncio.sleep(world.times.settle)
        try:
            found = await world.slurm.find(
                run.owner, run.job_name, run.asked_at - _CLOCK_SLACK_S
            )
        except ClusterError as error:
            log.warning("Job %s is looked for again: %s", run.job_name, error)
            silences += 1
            if silences >= _SILENCES:
                # Not `from error`: others can submit, whatever accounting does.
                raise Later(str(error)) from None
            continue
        if found:
            return found[0]
        denials += 1
    return None


def _in_picture(world: RunWorld, run: Run) -> int | None:
    jobs = world.picture.known_jobs((), [run.job_name])
    ids = [job.array_id or job.job_id for job in jobs if job.user == run.owner]
    return min(ids, default=None)


async def _refuse(world: RunWorld, runs: tuple[Run, ...], error: KqiError) -> None:
    reason = reason_of(runs[0], error)
    for run in runs:
        await world.release(run)
        await asyncio.to_thread(world.runs.refused, run.id, reason, world.clock())


def reason_of(run: Run, error: KqiError) -> str:
    """Return what kept a run from being submitted, and what to do about it."""
    if isinstance(error, ClusterRefused) and error.reason:
        return error.reason
    saying = saying_of_full_disk(error.message)
    if saying:
        return (
            f"The scratch folder of {run.owner} is full. Delete files there that are "
            f"no longer needed, then ask for it again ({saying})."
        )
    return str(error)
