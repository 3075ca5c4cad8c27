"""A process that ends lets what is at the door come back, and begins nothing new."""

import asyncio
from dataclasses import replace

from kqi_hub.domain.errors import ClusterUnreachable
from kqi_hub.domain.runs import RunState
from tests.fakes.run_death import LEASE_IS_OVER_S
from tests.fakes.run_lab import QUICK, RunLab

SOON_S = 5.0


async def test_a_submission_that_is_at_the_door_is_finished() -> None:
    lab = RunLab()
    run = lab.ask()
    gate = lab.slurm.gate = asyncio.Event()
    first = lab.process("first").keeper.submission
    first.begin(run.key)
    await lab.slurm.submitting.wait()
    ending = asyncio.create_task(first.close())
    await asyncio.sleep(0)
    gate.set()
    await asyncio.wait_for(ending, SOON_S)
    assert (lab.one(run).state, lab.jobs) == (RunState.PENDING, 1)


async def test_one_that_does_not_come_back_is_left_to_the_next_process() -> None:
    lab = RunLab()
    run = lab.ask()
    lab.slurm.gate = asyncio.Event()
    first = lab.process("first").keeper.submission
    first.begin(run.key)
    await lab.slurm.submitting.wait()
    await asyncio.wait_for(first.close(patience_s=0.01), SOON_S)
    assert first.under_way == frozenset()
    lab.slurm.gate = None
    lab.pass_time(LEASE_IS_OVER_S)
    await lab.process("second").work()
    assert (lab.one(run).state, lab.jobs) == (RunState.PENDING, 1)


async def test_one_that_waits_for_slurm_to_come_back_keeps_nobody_waiting() -> None:
    lab = RunLab(replace(QUICK, pause=3600.0))
    runs = [lab.ask(), lab.ask()]
    lab.slurm.faults = [ClusterUnreachable("down"), ClusterUnreachable("down")]
    first = lab.process("first").keeper.submission
    for run in runs:
        first.begin(run.key)
    await lab.slurm.submitting.wait()
    await asyncio.wait_for(first.close(patience_s=3600.0), SOON_S)
    # Neither has a lease: the next process begins at once.
    lab.times, lab.slurm.faults = QUICK, []
    await lab.process("second").work()
    assert {lab.one(run).state for run in runs} == {RunState.PENDING}
    assert lab.jobs == len(runs)


async def test_nothing_begins_once_it_is_closed() -> None:
    lab = RunLab()
    run = lab.ask()
    first = lab.process("first").keeper.submission
    await first.close()
    first.begin(run.key)
    assert first.under_way == frozenset()
