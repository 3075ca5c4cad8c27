"""What is taken over of runs that have ended, and when it is not."""

from dataclasses import replace

import pytest

from kqi_hub.domain.errors import (
    ClusterUnreachable,
    Conflict,
    DoorBroken,
    DoorRefused,
    DoorUnreachable,
)
from kqi_hub.domain.run_ports import Collected
from kqi_hub.domain.runs import Run, RunState
from kqi_hub.services.run_collecting import RunCollector
from tests.fakes.run_lab import QUICK, RunLab, running


async def test_a_result_that_is_not_in_sight_yet_is_waited_for() -> None:
    lab = RunLab(replace(QUICK, late=30.0))
    worker = lab.process()
    run = await running(lab, worker)
    lab.folders.usual = None
    lab.look(replace(lab.job(run.job_name, "COMPLETED"), ends_at=int(lab.now)))
    await worker.work()
    assert lab.one(run).state is RunState.COLLECTING
    lab.folders.usual = Collected(value="0.9", files=1, exit_code=0)
    await worker.work()
    assert (lab.one(run).state, lab.one(run).value) == (RunState.COMPLETED, "0.9")


async def test_a_job_without_a_result_is_collected_without_one() -> None:
    lab = RunLab(replace(QUICK, late=30.0))
    worker = lab.process()
    run = await running(lab, worker)
    lab.folders.usual = None
    lab.look(lab.job(run.job_name, "FAILED"))
    await worker.work()
    lab.pass_time(31)
    await worker.work()
    assert lab.one(run).state is RunState.FAILED


@pytest.mark.parametrize(
    "fault", [DoorUnreachable("away"), DoorBroken("cut off"), DoorRefused("no verb")]
)
async def test_results_are_read_again_until_it_is_too_late(
    fault: DoorUnreachable | DoorBroken | DoorRefused,
) -> None:
    lab = RunLab()
    worker = lab.process()
    run = await running(lab, worker)
    lab.folders.faults = [fault, fault]
    lab.look(replace(lab.job(run.job_name, "COMPLETED"), ends_at=int(lab.now)))
    for _ in range(3):
        await worker.work()
    assert lab.one(run).state is RunState.COMPLETED
    assert lab.one(run).value == "0.93"


async def test_a_folder_that_can_never_be_read_ends_the_run_and_says_so() -> None:
    lab = RunLab()
    worker = lab.process()
    run = await running(lab, worker)
    lab.look(replace(lab.job(run.job_name, "COMPLETED"), ends_at=int(lab.now)))
    lab.folders.faults = [DoorBroken("cut off half way")] * 2
    lab.pass_time(QUICK.give_up)
    await worker.work()
    ended = lab.one(run)
    assert (ended.state, ended.exit_code) == (RunState.COMPLETED, 0)
    assert "could not be read: cut off half way" in ended.detail


async def test_the_order_of_an_array_stays_until_its_last_task_has_ended() -> None:
    lab = RunLab()
    worker = lab.process()
    runs = lab.ask_batch(2)
    await worker.work()
    assert len(lab.slurm.scripts) == 1
    name = runs[0].job_name
    tasks = [
        replace(lab.job(name, state, number), array_id=101, task=str(task))
        for task, (number, state) in enumerate([(102, "COMPLETED"), (101, "RUNNING")])
    ]
    lab.look(*tasks)
    await worker.work()
    states = [lab.one(run).state for run in runs]
    assert states == [RunState.COMPLETED, RunState.RUNNING]
    assert lab.files.dropped == []
    lab.look(tasks[0], replace(tasks[1], state="FAILED"))
    await worker.work()
    assert lab.one(runs[1]).state is RunState.FAILED
    assert lab.files.dropped == [name]


async def test_folders_of_deleted_runs_are_removed_or_stay_noted() -> None:
    lab = RunLab()
    worker = lab.process()
    run = await running(lab, worker)
    lab.look(lab.job(run.job_name, "COMPLETED"))
    await worker.work()
    lab.store.delete(run.id, lab.now)
    lab.folders.faults = [DoorUnreachable("away")]
    await worker.keeper.tidy()
    assert len(lab.store.removals()) == 1
    await worker.keeper.tidy()
    assert lab.folders.removed == [("alice", run.folder)]
    assert lab.store.removals() == ()


async def test_the_tensorboard_of_a_deleted_run_ends_before_its_folder_goes() -> None:
    lab = RunLab()
    worker = lab.process()
    run = await running(lab, worker)
    lab.look(lab.job(run.job_name, "COMPLETED"))
    await worker.work()
    lab.store.delete(run.id, lab.now)
    key = "a" * 26
    names = {
        f"tensorboard-{run.id}-{key}": 7,
        f"tensorboard-{run.id}1-{key}": 8,
        f"tensorboard-{run.id}-": 9,
    }
    others = lab.job(f"tensorboard-{run.id}-{key}", number=10, user="bob")
    lab.look(*(lab.job(name, number=at) for name, at in names.items()), others)
    lab.slurm.cancel_faults = [ClusterUnreachable("away")]
    await worker.keeper.tidy()
    assert (lab.slurm.cancelled, lab.folders.removed) == ([], [])
    await worker.keeper.tidy()
    assert lab.slurm.cancelled == [7]
    assert lab.folders.removed == [("alice", run.folder)]


async def test_of_a_run_that_goes_nothing_is_read_nor_made() -> None:
    lab = RunLab()
    worker = lab.process()
    made: list[int] = []

    async def products(run: Run, found: Collected) -> Collected:
        made.append(run.id)
        return found

    worker.keeper.collector = RunCollector(worker.keeper.world, products)
    run, other = lab.ask(), lab.ask()
    await worker.work()
    lab.look_at_slurm("RUNNING")
    await worker.work()
    assert lab.store.delete(run.id, lab.now) is not None
    lab.look_at_slurm("COMPLETED")
    await worker.work()
    assert lab.store.one(run.id) is None
    assert lab.one(other).state is RunState.COMPLETED
    assert made == [other.id]
    assert lab.folders.calls == [("alice", (other.id,))]
    assert run.job_name in lab.files.dropped
    assert lab.released == [run.id, other.id]


async def test_a_folder_that_cannot_be_removed_keeps_no_other_one() -> None:
    lab = RunLab()
    worker = lab.process()
    runs = [lab.ask(), lab.ask()]
    await worker.work()
    for state in ("RUNNING", "COMPLETED"):
        lab.look_at_slurm(state)
        await worker.work()
    for run in runs:
        lab.store.delete(run.id, lab.now)
    lab.folders.faults = [Conflict("both"), Conflict("the first")]
    await worker.keeper.tidy()
    assert [one.run_id for one in lab.store.removals()] == [runs[0].id]
