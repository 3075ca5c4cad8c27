"""services/sessions: a stop ends the job, whenever it comes."""

import asyncio

import pytest

from kqi_hub.domain.errors import (
    ClusterTimedOut,
    ClusterUnreachable,
    NoSuchJob,
)
from kqi_hub.domain.notebooks import Cause
from kqi_hub.services.session_run import StartFailed
from tests.fakes.sessions import Lab
from tests.unit.sessions.steps import begin, queued, started, until


async def test_a_stop_of_a_waiting_job_is_one_call_and_the_end(lab: Lab) -> None:
    session = lab.ask()
    run, task = await queued(lab)
    lab.store.stopping(session.id, Cause.STOPPED, lab.now)
    assert await lab.sessions.stop(run) is True
    assert lab.slurm.cancelled == [101]
    assert lab.last.cause is Cause.STOPPED
    with pytest.raises(StartFailed):
        await task
    await until(lambda: lab.files.dropped == [session.job_name])


async def test_a_stop_of_a_running_one_waits_for_its_last_word(lab: Lab) -> None:
    session = lab.ask()
    run = await started(lab)
    lab.store.stopping(session.id, Cause.STOPPED, lab.now)
    stopping = asyncio.create_task(lab.sessions.stop(run))
    await until(lambda: lab.slurm.cancelled == [101])
    await lab.sessions.heard_ended(run, 0)
    assert await stopping is True
    assert (lab.last.cause, lab.last.exit_code) == (Cause.STOPPED, 0)


async def test_without_a_last_word_the_worker_is_asked_for_a_look(lab: Lab) -> None:
    session = lab.ask()
    run = await started(lab)
    lab.store.stopping(session.id, Cause.STOPPED, lab.now)
    assert await lab.sessions.stop(run) is True
    assert lab.last.is_live  # until Slurm says so
    assert lab.snapshot.asked == lab.now


async def test_a_stop_that_nobody_asked_for_ends_nothing(lab: Lab) -> None:
    lab.ask()
    run = await started(lab)
    assert await lab.sessions.stop(run) is False
    assert lab.slurm.cancelled == []
    assert lab.last.is_live


async def test_a_stop_during_the_submission_cancels_what_it_leaves(lab: Lab) -> None:
    session = lab.ask()
    lab.slurm.gate = asyncio.Event()
    run, task = await begin(lab)
    await lab.slurm.submitting.wait()
    task.cancel()
    lab.store.stopping(session.id, Cause.STOPPED, lab.now)
    stopping = asyncio.create_task(lab.sessions.stop(run))
    await asyncio.sleep(0.02)
    assert lab.slurm.cancelled == []
    lab.slurm.gate.set()
    await stopping
    assert lab.slurm.cancelled == [101]


async def test_a_stop_before_anything_was_submitted_submits_nothing(lab: Lab) -> None:
    session = lab.ask()
    lab.slurm.faults = [ClusterUnreachable("No controller.")] * 1000
    run, task = await begin(lab)
    await lab.slurm.submitting.wait()
    lab.store.stopping(session.id, Cause.STOPPED, lab.now)
    assert await lab.sessions.stop(run) is True
    with pytest.raises(StartFailed):
        await task
    assert (lab.slurm.scripts, lab.slurm.cancelled) == ([], [])
    assert lab.last.cause is Cause.STOPPED


async def test_a_stop_of_an_unsure_submission_finds_and_cancels_the_job(
    lab: Lab,
) -> None:
    session = lab.ask()
    lab.slurm.faults, lab.slurm.keeps_lost = [ClusterTimedOut("No answer.")], True
    run, task = await begin(lab)
    await until(lambda: run.unsure_since is not None)
    task.cancel()
    lab.store.stopping(session.id, Cause.STOPPED, lab.now)
    stopping = asyncio.create_task(lab.sessions.stop(run))
    await asyncio.sleep(0.02)
    lab.look(lab.job(session, "PENDING"))
    await stopping
    await until(lambda: lab.slurm.cancelled == [101])


async def test_a_cancel_that_slurm_does_not_take_is_repeated(lab: Lab) -> None:
    session = lab.ask()
    run, task = await queued(lab)
    lab.slurm.cancel_faults = [ClusterUnreachable("No."), ClusterTimedOut("No.")]
    lab.store.stopping(session.id, Cause.STOPPED, lab.now)
    await lab.sessions.stop(run)
    await until(lambda: lab.slurm.cancelled == [101])
    with pytest.raises(StartFailed):
        await task


async def test_a_job_that_slurm_has_forgotten_counts_as_cancelled(lab: Lab) -> None:
    session = lab.ask()
    run, task = await queued(lab)
    lab.slurm.cancel_faults = [NoSuchJob("No such job.")]
    lab.store.stopping(session.id, Cause.STOPPED, lab.now)
    await lab.sessions.stop(run)
    assert lab.last.cause is Cause.STOPPED
    with pytest.raises(StartFailed):
        await task


async def test_a_stop_goes_on_in_the_next_process(lab: Lab) -> None:
    session = lab.ask()
    await started(lab)
    lab.store.stopping(session.id, Cause.STOPPED, lab.now)
    await lab.restart()
    await lab.sessions.finish_stops()
    await until(lambda: lab.slurm.cancelled == [101])
