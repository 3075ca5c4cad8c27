"""A process may be killed at any moment: each run gets one job and one end."""

import asyncio
import contextlib

import pytest

from kqi_hub.domain.errors import ClusterTimedOut
from kqi_hub.domain.runs import RunState
from tests.fakes.run_lab import Killed, Process, RunLab

LEASE_IS_OVER_S = 1000.0


async def live(lab: RunLab, process: Process) -> None:
    """Let a process do all that a run needs, as far as it lives."""
    with contextlib.suppress(Killed):
        await process.work()
        for state in ("PENDING", "RUNNING", "COMPLETED"):
            lab.look_at_slurm(state)
            await process.work()
        await process.work()


def jobs(lab: RunLab) -> int:
    return len(lab.slurm.scripts) - len(lab.slurm.cancelled)


async def check_from(lab: RunLab, dies_at: int) -> bool:
    """Kill a process at a point, have the next one go on; tell if it was killed."""
    run = lab.ask()
    first = lab.process("first", dies_at)
    await live(lab, first)
    lab.pass_time(LEASE_IS_OVER_S)
    await live(lab, lab.process("second"))
    ended = lab.store.runs[run.id]
    assert jobs(lab) == 1, f"killed at {dies_at}"
    assert (ended.state, ended.job_id) == (RunState.COMPLETED, 101), f"at {dies_at}"
    assert (ended.exit_code, ended.value, ended.files) == (0, "0.93", 3)
    assert lab.released[-1] == run.id
    assert run.job_name in lab.files.dropped
    assert lab.picture.known[101].name == run.job_name
    return first.dead


async def test_killed_around_each_step_a_run_has_one_job_and_one_end() -> None:
    points = 0
    while await check_from(RunLab(), points + 1):
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
        if not await check_from(lab, points + 1):
            break
        points += 1
    assert points > 40


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
    assert lab.store.runs[run.id].state is RunState.ASKED
    lab.pass_time(LEASE_IS_OVER_S)
    await second.work()
    assert lab.store.runs[run.id].state is RunState.PENDING
    assert jobs(lab) == 1


async def test_a_job_that_came_second_is_cancelled_by_who_submitted_it() -> None:
    lab = RunLab()
    run = lab.ask()
    gate = lab.slurm.gate = asyncio.Event()
    first, second = lab.process("first"), lab.process("second")
    first.keeper.submission.begin(run.key)
    await lab.slurm.submitting.wait()
    lab.slurm.gate = None
    lab.pass_time(LEASE_IS_OVER_S)
    await second.work()
    assert lab.store.runs[run.id].job_id == 101
    gate.set()
    await first.keeper.idle()
    assert lab.slurm.cancelled == [102]
    assert lab.store.runs[run.id].job_id == 101


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
    assert jobs(lab) == 1
    assert lab.store.runs[run.id].job_id == 101


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
    assert jobs(lab) == 1


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
