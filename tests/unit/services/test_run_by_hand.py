"""Scripts that people submit by hand, once and once more."""

import pytest

from kqi_hub.domain.errors import (
    NotFound,
)
from kqi_hub.domain.run_ports import Told
from kqi_hub.domain.runs import RunState
from kqi_hub.services.run_adopting import original_of
from tests.fakes.run_lab import RunLab, running


async def test_a_prepared_script_that_is_submitted_by_hand_is_adopted() -> None:
    lab = RunLab()
    worker = lab.process()
    run = lab.ask(is_prepared=True)
    text = await worker.keeper.submission.prepared(run)
    assert lab.files.kept[run.job_name] == f"order of {run.job_name}"
    assert lab.store.script(run.id) == text
    await worker.work()
    assert lab.slurm.scripts == [], "nobody submits it but its owner"
    lab.look(lab.job(run.job_name, number=900, user="mallory"))
    await worker.work()
    assert lab.one(run).state is RunState.PREPARED
    lab.look(lab.job(run.job_name, number=901))
    await worker.work()
    assert (lab.one(run).state, lab.one(run).job_id) == (RunState.RUNNING, 901)
    lab.look(lab.job(run.job_name, "COMPLETED", 901))
    await worker.work()
    assert lab.one(run).state is RunState.COMPLETED


async def test_a_prepared_script_that_ended_between_two_looks_is_adopted() -> None:
    lab = RunLab()
    worker = lab.process()
    run = lab.ask(is_prepared=True)
    lab.look(lab.job(run.job_name, "COMPLETED", 901))
    await worker.work()
    assert (lab.one(run).state, lab.one(run).job_id) == (RunState.COMPLETED, 901)


async def test_a_prepared_run_that_is_stopped_ends_and_leaves_no_order() -> None:
    lab = RunLab()
    worker = lab.process()
    run = lab.ask(is_prepared=True)
    await worker.keeper.submission.prepared(run)
    stopping = lab.store.stopping(run.id, RunState.USER_CANCELED, lab.now)
    await worker.keeper.submission.stop(stopping)
    assert lab.one(run).state is RunState.USER_CANCELED
    assert lab.files.dropped == [run.job_name]


async def test_a_prepared_run_that_the_service_ended_leaves_no_order() -> None:
    lab = RunLab()
    worker = lab.process()
    run = lab.ask(is_prepared=True)
    await worker.keeper.submission.prepared(run)
    told = Told(RunState.USER_CANCELED, lab.now, ended_at=lab.now)
    await worker.keeper.submission.stop(lab.store.told(run.id, told))
    assert lab.files.dropped == [run.job_name]


@pytest.mark.parametrize(("user", "is_mine"), [("alice", True), ("mallory", False)])
async def test_a_script_that_is_submitted_by_hand_again_is_looked_for(
    user: str, is_mine: bool
) -> None:
    lab = RunLab()
    worker = lab.process()
    run = await running(lab, worker)
    lab.look(lab.job(run.job_name), lab.job(run.job_name, number=777, user=user))
    jobs = lab.picture.live_jobs()
    found = [original_of(job, lab.store.named(run.key)) for job in jobs]
    assert found == [None, lab.one(run) if is_mine else None]


async def test_a_job_on_its_way_is_no_further_one() -> None:
    lab = RunLab()
    asked, prepared = lab.ask(), lab.ask(is_prepared=True)
    for run in (asked, prepared):
        assert original_of(lab.job(run.job_name), (run,)) is None


async def test_only_a_prepared_run_has_a_script_for_the_hand() -> None:
    lab = RunLab()
    with pytest.raises(NotFound):
        await lab.process().keeper.submission.prepared(lab.ask())
