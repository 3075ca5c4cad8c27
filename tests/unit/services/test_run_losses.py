"""A slurmctld that is killed forgets jobs: what becomes of their runs."""

from kqi_hub.domain.errors import DoorUnreachable
from kqi_hub.domain.run_ports import Told
from kqi_hub.domain.run_states import FORGOTTEN
from kqi_hub.domain.runs import Run, RunState
from tests.fakes.run_lab import QUICK, RESULT, Process, RunLab


def without_results() -> tuple[RunLab, Process]:
    lab = RunLab()
    lab.folders.usual = None
    return lab, lab.process()


async def missed(lab: RunLab, worker: Process) -> None:
    """Let the job be in no picture for as long as it takes to be believed."""
    lab.look()
    await worker.work()
    lab.pass_time(QUICK.forgotten)
    lab.look()
    await worker.work()


async def test_another_job_that_was_given_its_number_does_not_end_a_run() -> None:
    lab, worker = without_results()
    run = lab.ask()
    await worker.work()
    # slurmctld was killed, has forgotten the run's job, and gives the number again.
    lab.slurm.found.clear()
    lab.record(101, "COMPLETED", name="of-somebody-else")
    lab.look()
    await worker.work()
    assert lab.one(run).state is RunState.PENDING
    lab.pass_time(QUICK.forgotten)
    lab.look()
    await worker.work()
    await worker.work()
    again = lab.one(run)
    assert (again.state, again.job_id) == (RunState.PENDING, 102)
    causes = [event.cause for event in lab.store.events(run.id)]
    assert causes == ["", "", FORGOTTEN, ""]
    # This one is known to have begun: whatever becomes of it, there is no third one.
    lab.look_at_slurm("RUNNING")
    await worker.work()
    lab.look()
    await worker.work()
    lab.pass_time(QUICK.grace)
    lab.look()
    await worker.work()
    ended = lab.one(run)
    assert (ended.state, ended.exit_code) == (RunState.UNKNOWN, None)
    assert len(lab.slurm.scripts) == 2


async def test_a_job_that_the_controller_still_has_is_not_submitted_again() -> None:
    lab, worker = without_results()
    run = lab.ask()
    await worker.work()
    lab.look()
    await worker.work()
    for _ in range(3):
        lab.pass_time(QUICK.forgotten)
        lab.look()
        await worker.work()
        await worker.work()
        found = lab.one(run)
        assert (found.state, found.job_id) == (RunState.PENDING, 101)
    assert len(lab.slurm.scripts) == 1
    causes = [event.cause for event in lab.store.events(run.id)]
    assert causes.count(FORGOTTEN) == 1, "it is asked for again once, not for ever"
    lab.pass_time(QUICK.grace)
    lab.look()
    await worker.work()
    assert lab.one(run).state is RunState.UNKNOWN


async def test_a_lost_run_that_was_stopped_ends_as_its_owner_chose() -> None:
    lab, worker = without_results()
    run = lab.ask()
    await worker.work()
    lab.store.stopping(run.id, RunState.USER_CANCELED, lab.now)
    lab.slurm.found.clear()
    await missed(lab, worker)
    await worker.work()
    assert lab.one(run).state is RunState.USER_CANCELED
    assert len(lab.slurm.scripts) == 1


async def test_a_lost_job_that_has_left_results_is_not_submitted_again() -> None:
    lab = RunLab()
    worker = lab.process()
    run = lab.ask()
    await worker.work()
    lab.slurm.found.clear()
    await missed(lab, worker)
    assert lab.one(run).state is RunState.PENDING
    lab.pass_time(QUICK.grace)
    lab.look()
    await worker.work()
    ended = lab.one(run)
    assert (ended.state, ended.value) == (RunState.UNKNOWN, RESULT.value)
    assert len(lab.slurm.scripts) == 1


async def test_of_an_array_that_began_no_part_is_submitted_again() -> None:
    lab, worker = without_results()
    runs = lab.ask_batch(3)
    await worker.work()
    lab.slurm.found.clear()
    began = Told(RunState.RUNNING, lab.now, began_at=lab.now)
    lab.store.told(runs[0].id, began)
    await missed(lab, worker)
    assert len(lab.slurm.scripts) == 1
    assert lab.one(runs[1]).state is RunState.PENDING


async def test_an_array_that_is_lost_is_submitted_again_as_one() -> None:
    lab, worker = without_results()
    runs = lab.ask_batch(3)
    await worker.work()
    lab.slurm.found.clear()
    await missed(lab, worker)
    await worker.work()
    assert len(lab.slurm.scripts) == 2
    assert {lab.one(run).job_id for run in runs} == {102}


async def test_lost_jobs_of_a_person_are_one_question() -> None:
    lab = RunLab(key=1)
    lab.folders.usual = None
    worker = lab.process()
    runs = [lab.ask() for _ in range(5)]
    batch = lab.ask_batch(3)
    await worker.work()
    lab.slurm.found.clear()
    # One of them has left something, and is not asked for again.
    lab.folders.found[runs[2].id] = RESULT
    await missed(lab, worker)
    await worker.work()
    everything = tuple(run.id for run in (*runs, *batch))
    assert lab.folders.calls == [("alice", everything)]
    again = [run for run in runs if (lab.one(run).job_id or 0) > 106]
    assert again == [run for run in runs if run is not runs[2]]
    assert {lab.one(run).job_id for run in batch} == {111}


async def test_what_cannot_be_asked_of_one_person_keeps_nobody_elses() -> None:
    lab, worker = without_results()
    hers, his = lab.ask(), lab.ask(owner="bob")
    await worker.work()
    lab.slurm.found.clear()
    lab.folders.faults = [DoorUnreachable("away")]
    await missed(lab, worker)
    await worker.work()
    assert (lab.one(hers).job_id, lab.one(his).job_id) == (101, 103)


async def forgotten_by_slurm() -> tuple[RunLab, Process, Run, Run]:
    """Have slurmctld killed and forget a job, whose number the next run's job gets."""
    lab, worker = without_results()
    first = lab.ask()
    await worker.work()
    lab.slurm.scripts.clear()
    second = lab.ask()
    await worker.work()
    assert lab.one(first).job_id == lab.one(second).job_id == 101
    lab.look_at_slurm("RUNNING")
    return lab, worker, first, second


async def test_a_number_that_is_given_again_is_the_job_of_the_run_of_its_name() -> None:
    lab, worker, first, second = await forgotten_by_slurm()
    await worker.work()
    assert lab.one(second).state is RunState.RUNNING
    assert (lab.one(first).state, lab.one(first).node) == (RunState.PENDING, "")
    lab.record(101, "COMPLETED")
    lab.look_at_slurm("COMPLETED")
    await worker.work()
    assert lab.one(second).state is RunState.COMPLETED
    assert lab.one(first).state is RunState.PENDING, "its own job is nowhere"
    del lab.slurm.found[first.job_name]
    lab.pass_time(QUICK.forgotten)
    lab.look()
    await worker.work()
    assert lab.one(first).state is RunState.ASKED
    await worker.work()
    again = lab.one(first)
    assert (again.state, again.job_id) == (RunState.PENDING, 102)


async def test_to_stop_a_run_whose_number_is_another_job_s_cancels_nothing() -> None:
    lab, worker, first, second = await forgotten_by_slurm()
    for run, expected in ((first, []), (second, [101])):
        stopping = lab.store.stopping(run.id, RunState.USER_CANCELED, lab.now)
        await worker.keeper.submission.stop(stopping)
        assert lab.slurm.cancelled == expected
