"""Runs and processes that are killed, on the real tables."""

import asyncio

from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.domain.runs import RunState
from tests.fakes.run_death import check_death
from tests.fakes.run_lab import RunLab


async def test_killed_around_each_step_a_run_has_one_job_and_one_end(
    engine: Engine,
) -> None:
    await asyncio.to_thread(schema.upgrade, engine)
    store, points = SqlRunStore(engine), 0
    while await check_death(RunLab(store=store, key=points), points + 1):
        points += 1
    assert points > 40


async def test_two_processes_at_once_submit_each_of_many_runs_once(
    engine: Engine,
) -> None:
    await asyncio.to_thread(schema.upgrade, engine)
    lab = RunLab(store=SqlRunStore(engine))
    runs = [lab.ask() for _ in range(40)]
    processes = [lab.process(name) for name in ("portal", "worker", "third")]
    await asyncio.gather(*(one.keeper.take_over() for one in processes))
    await asyncio.gather(*(one.keeper.idle() for one in processes))
    names = [script.name for script in lab.slurm.scripts]
    assert sorted(names) == sorted(run.job_name for run in runs)
    assert {lab.one(run).state for run in runs} == {RunState.PENDING}
