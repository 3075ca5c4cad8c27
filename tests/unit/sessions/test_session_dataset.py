"""A session's dataset: made ready before the job, given up with the start."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from kqi_hub.domain.errors import StoreUnavailable
from kqi_hub.domain.notebook_ports import DatasetPlace
from kqi_hub.domain.notebooks import Cause, Session
from kqi_hub.services.session_run import StartFailed
from tests.fakes.sessions import Lab
from tests.unit.sessions.steps import begin, until


async def with_dataset(
    lab: Lab, made: Callable[[Session], Awaitable[DatasetPlace | None]]
) -> Session:
    """Ask for a session of notebook 12 with dataset 7, made ready in this way."""
    lab.dataset = made
    session = lab.ask()
    chosen = replace(session.chosen, dataset=7)
    lab.store.kept[session.id] = replace(session, chosen=chosen)
    return session


async def test_dataset_is_made_ready_before_the_job_is_submitted(lab: Lab) -> None:
    ready = asyncio.Event()

    async def make(session: Session) -> DatasetPlace:
        await ready.wait()
        return DatasetPlace(session.chosen.dataset or 0, "/store/trees/x")

    session = await with_dataset(lab, make)
    run, task = await begin(lab)
    await asyncio.sleep(0.05)
    assert lab.slurm.scripts == []
    ready.set()
    await until(lambda: run.job_id is not None)
    [script] = lab.slurm.scripts
    assert script.secret == f"{session.job_name} first 7=/store/trees/x"
    task.cancel()


async def test_dataset_that_cannot_be_made_ready_ends_the_start_in_words(
    lab: Lab,
) -> None:
    async def make(_: Session) -> DatasetPlace:
        raise StoreUnavailable("The data store does not answer.", "Try again.")

    await with_dataset(lab, make)
    _, task = await begin(lab)
    with pytest.raises(StoreUnavailable):
        await task
    assert lab.slurm.scripts == []
    assert (lab.last.cause, lab.last.detail) == (
        Cause.FAILED,
        "The data store does not answer.",
    )


async def test_stop_waits_for_no_dataset(lab: Lab) -> None:
    gone = asyncio.Event()

    async def make(_: Session) -> DatasetPlace:
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()
        raise AssertionError("nobody lets it come so far")

    session = await with_dataset(lab, make)
    run, task = await begin(lab)
    await asyncio.sleep(0.02)
    lab.store.stopping(session.id, Cause.STOPPED, lab.now)
    assert await lab.sessions.stop(run)
    with pytest.raises(StartFailed, match="stopped before its dataset"):
        await task
    await asyncio.wait_for(gone.wait(), 1)
    await until(lambda: not lab.last.is_live)
    assert lab.last.cause is Cause.STOPPED
    assert lab.slurm.scripts == []


async def test_job_that_is_there_begins_without_a_dataset_that_is_not(
    lab: Lab,
) -> None:
    async def make(session: Session) -> DatasetPlace:
        return DatasetPlace(session.chosen.dataset or 0, "/store/trees/x")

    async def fail(_: Session) -> DatasetPlace:
        raise StoreUnavailable("The data store does not answer.", "Try again.")

    session = await with_dataset(lab, make)
    await begin(lab)
    # Noted, not only known: a restart in between looks for the job in Slurm first.
    await until(lambda: lab.last.job_id is not None)
    await lab.restart()
    lab.dataset = fail
    _, task = await begin(lab)
    await until(lambda: bool(lab.files.kept))
    assert lab.files.kept == {session.job_name: f"{session.job_name} first 7="}
    assert lab.last.is_live
    task.cancel()
