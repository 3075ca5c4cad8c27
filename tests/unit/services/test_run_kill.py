"""A process may be killed at any moment: each run gets one job and one end."""

import asyncio

import pytest

from kqi_hub.domain.errors import ClusterTimedOut, ClusterUnreachable
from kqi_hub.domain.runs import RunState
from tests.fakes.run_death import LEASE_IS_OVER_S, check_death, check_going
from tests.fakes.run_lab import RunLab, running


async def test_killed_around_each_step_a_run_has_one_job_and_one_end() -> None:
    points = 0
    while await check_death(RunLab(), points + 1):
        points += 1
    assert points > 40, "the fault points are those of a whole life"


@pytest.mark.parametrize("is_there", [True, False], ids=["job", "no-job"])
async def test_killed_after_an_unsure_answer_a_run_has_one_job_and_one_end(
    is_there: bool,
) -> None:
    points = 0
    while True:
        lab = RunLab()
        lab.slurm.faults = [ClusterTimedOut("no answer")]
        lab.slurm.keeps_lost = is_there
        if not await check_death(lab, points + 1):
            break
        points += 1
    assert points > 40


@pytest.mark.parametrize("state", ["ASKED", "PENDING", "RUNNING", "COLLECTING"])
async def test_killed_around_each_step_a_run_that_goes_is_gone_once(state: str) -> None:
    points = 0
    while await check_going(RunLab(), state, points + 1):
        points += 1
    assert points > 5, "the fault points are those of a whole end"


async def test_a_run_goes_when_a_silent_slurm_answers_again() -> None:
    lab = RunLab()
    worker = lab.process()
    run = await running(lab, worker)
    lab.store.delete(run.id, lab.now)
    lab.slurm.cancel_faults = [ClusterUnreachable("away")]
    lab.look_at_slurm("RUNNING")
    await worker.work()
    lab.pass_time(10 * LEASE_IS_OVER_S)
    assert lab.one(run).going_at is not None
    lab.look_at_slurm("RUNNING")
    await worker.work()
    assert lab.slurm.cancelled == [101]
    lab.record(101, "CANCELLED")
    lab.look()
    await worker.work()
    assert lab.store.one(run.id) is None


async def test_a_second_process_waits_until_the_lease_of_a_dead_one_is_over() -> None:
    lab = RunLab()
    run = lab.ask()
    gate = lab.slurm.gate = asyncio.Event()
    first = lab.process("first")
    first.keeper.submission.begin(run.key)
    await lab.slurm.submitting.wait()
    first.dead = True
    gate.set()
    await first.keeper.idle()
    second = lab.process("second")
    await second.work()
    assert lab.one(run).state is RunState.ASKED
    lab.pass_time(LEASE_IS_OVER_S)
    await second.work()
    assert lab.one(run).state is RunState.PENDING
    assert lab.jobs == 1


@pytest.mark.parametrize("silences", [0, 3])
async def test_a_job_that_came_second_is_cancelled_by_who_submitted_it(
    silences: int,
) -> None:
    lab = RunLab()
    lab.slurm.cancel_faults = [ClusterUnreachable("away")] * silences
    run = lab.ask()
    gate = lab.slurm.gate = asyncio.Event()
    first, second = lab.process("first"), lab.process("second")
    first.keeper.submission.begin(run.key)
    await lab.slurm.submitting.wait()
    lab.slurm.gate = None
    lab.pass_time(LEASE_IS_OVER_S)
    await second.work()
    assert lab.one(run).job_id == 101
    gate.set()
    await first.keeper.idle()
    assert lab.slurm.cancelled == [102]
    assert lab.one(run).job_id == 101


async def test_who_was_overtaken_before_the_door_submits_nothing() -> None:
    lab = RunLab()
    run = lab.ask()
    first, second = lab.process("first"), lab.process("second")

    async def slept() -> None:
        lab.on_folders = None
        lab.pass_time(LEASE_IS_OVER_S)
        await second.work()

    lab.on_folders = slept
    first.keeper.submission.begin(run.key)
    await first.keeper.idle()
    assert lab.jobs == 1
    assert lab.one(run).job_id == 101


async def test_nobody_submits_what_another_process_is_at() -> None:
    lab = RunLab()
    run = lab.ask()
    first, second = lab.process("first"), lab.process("second")

    async def slept() -> None:
        lab.on_folders = None
        lab.pass_time(LEASE_IS_OVER_S)
        lab.slurm.gate = asyncio.Event()
        second.keeper.submission.begin(run.key)
        await lab.slurm.submitting.wait()

    lab.on_folders = slept
    first.keeper.submission.begin(run.key)
    await first.keeper.idle()
    assert lab.slurm.gate is not None
    lab.slurm.gate.set()
    await second.keeper.idle()
    assert lab.jobs == 1


async def test_two_processes_at_once_submit_each_of_many_runs_once() -> None:
    lab = RunLab()
    runs = [lab.ask() for _ in range(60)]
    processes = [lab.process(name) for name in ("portal", "worker")]
    await asyncio.gather(*(one.keeper.take_over() for one in processes))
    await asyncio.gather(*(one.keeper.idle() for one in processes))
    names = [script.name for script in lab.slurm.scripts]
    assert sorted(names) == sorted(run.job_name for run in runs)
    assert {run.state for run in lab.store.runs.values()} == {RunState.PENDING}


async def test_500_runs_are_followed_with_one_question_to_accounting() -> None:
    lab = RunLab()
    for _ in range(500):
        lab.ask()
    worker = lab.process()
    await worker.work()
    assert len(lab.slurm.scripts) == 500
    assert "find" not in lab.slurm.calls
    lab.look_at_slurm("RUNNING")
    await worker.work()
    for number in range(101, 601):
        lab.record(number, "FAILED", 3)
    lab.look_at_slurm("FAILED")
    await worker.work()
    assert len(lab.slurm.asked_about) == 1
    assert len(lab.folders.calls) == 10
    assert {run.state for run in lab.store.runs.values()} == {RunState.FAILED}
