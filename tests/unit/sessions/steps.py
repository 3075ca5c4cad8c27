"""What the tests of sessions do again and again."""

import asyncio
from collections.abc import Callable

from kqi_hub.services.session_run import Run
from kqi_hub.services.sessions import Place
from tests.fakes.sessions import Lab

HUB = {"JUPYTERHUB_API_TOKEN": "first"}
Starting = asyncio.Task[Place]


async def begin(lab: Lab, *, is_told: bool = False) -> tuple[Run, Starting]:
    run = await lab.sessions.claim("alice", 12)
    task = asyncio.create_task(lab.sessions.start(run, HUB, is_told=is_told))
    return run, task


async def queued(lab: Lab) -> tuple[Run, Starting]:
    run, task = await begin(lab)
    await until(lambda: run.job_id is not None)
    return run, task


async def until(true: Callable[[], bool]) -> None:
    for _ in range(4000):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come true")


async def started(lab: Lab) -> Run:
    run, task = await queued(lab)
    await lab.sessions.heard_port(run, 40_000)
    await task
    await lab.sessions.ready(run)
    return run
