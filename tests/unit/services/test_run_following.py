"""What the picture, accounting and silence make of runs."""

import asyncio
from dataclasses import replace

import pytest

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.errors import (
    ClusterRefused,
    ClusterTimedOut,
    ClusterUnreachable,
    Conflict,
    DoorBroken,
    DoorRefused,
    DoorUnreachable,
    NotFound,
    StoreUnavailable,
)
from kqi_hub.domain.runs import Run, RunState
from kqi_hub.services.run_jobs import has_task, job_of
from kqi_hub.services.submission import AT_ONCE
from tests.fakes.run_lab import QUICK, Process, RunLab, running
from tests.fakes.slurm_reader import make_job


@pytest.mark.parametrize(
    ("state", "code", "expected", "known"),
    [
        ("COMPLETED", 0, RunState.COMPLETED, 0),
        ("FAILED", 3, RunState.FAILED, 3),
        ("TIMEOUT", 0, RunState.TIMED_OUT, None),
        ("OUT_OF_MEMORY", 137, RunState.OUT_OF_MEMORY, 137),
        ("NODE_FAIL", 0, RunState.NODE_FAILED, None),
        ("CANCELLED", 0, RunState.KILLED, None),
    ],
)
async def test_a_run_ends_as_its_job_did(
    state: str, code: int, expected: RunState, known: int | None
) -> None:
    lab = RunLab()
    lab.folders.usual = None
    worker = lab.process()
    run = await running(lab, worker)
    lab.record(101, state, code)
    lab.look_at_slurm(state)
    await worker.work()
    ended = lab.one(run)
    assert (ended.state, ended.exit_code) == (expected, known)
    assert not ended.is_live


@pytest.mark.parametrize("called", [RunState.USER_CANCELED, RunState.KILLED])
async def test_a_stopped_run_is_called_as_its_owner_chose(called: RunState) -> None:
    lab, run, worker = await stopped_while_it_runs(called)
    assert lab.slurm.cancelled == [101]
    lab.look(lab.job(run.job_name, "CANCELLED"))
    await worker.work()
    assert lab.one(run).state is called


async def stopped_while_it_runs(called: RunState) -> tuple[RunLab, Run, Process]:
    lab = RunLab()
    worker = lab.process()
    run = await running(lab, worker)
    stopping = lab.store.stopping(run.id, called, lab.now)
    await worker.keeper.submission.stop(stopping)
    return lab, run, worker


async def test_a_job_that_could_not_be_cancelled_is_cancelled_again() -> None:
    lab = RunLab()
    worker = lab.process()
    run = await running(lab, worker)
    lab.slurm.cancel_faults = [ClusterUnreachable("away"), DoorUnreachable("away")]
    stopping = lab.store.stopping(run.id, RunState.USER_CANCELED, lab.now)
    await worker.keeper.submission.stop(stopping)
    for _ in range(2):
        lab.pass_time(QUICK.ask_every)
        lab.look(lab.job(run.job_name))
        await worker.work()
    assert lab.slurm.cancelled == [101]
    lab.look(lab.job(run.job_name))
    await worker.work()
    assert lab.slurm.cancelled == [101], "not again within half a minute"


async def test_a_run_that_is_stopped_while_slurm_is_away_never_gets_a_job() -> None:
    lab = RunLab()
    lab.slurm.faults = [ClusterUnreachable("away")]
    worker = lab.process()
    run = lab.ask()
    await worker.work()
    assert lab.one(run).state is RunState.ASKED
    stopping = lab.store.stopping(run.id, RunState.USER_CANCELED, lab.now)
    await worker.keeper.submission.stop(stopping)
    await worker.keeper.idle()
    assert lab.one(run).state is RunState.USER_CANCELED
    assert lab.slurm.scripts == []
    assert lab.released == [run.id]


async def test_a_run_that_is_stopped_while_it_is_submitted_is_cancelled() -> None:
    lab = RunLab()
    worker = lab.process()
    run = lab.ask()
    gate = lab.slurm.gate = asyncio.Event()
    worker.keeper.submission.begin(run.key)
    await lab.slurm.submitting.wait()
    stopping = lab.store.stopping(run.id, RunState.KILLED, lab.now)
    await worker.keeper.submission.stop(stopping)
    gate.set()
    await worker.keeper.idle()
    assert lab.slurm.cancelled == [101]
    lab.look(lab.job(run.job_name, "CANCELLED"))
    await worker.work()
    assert lab.one(run).state is RunState.KILLED


@pytest.mark.parametrize(
    "fault",
    [
        ClusterUnreachable("slurmctld"),
        DoorUnreachable("no helper"),
    ],
)
async def test_what_passes_is_tried_again(
    fault: ClusterUnreachable | DoorUnreachable,
) -> None:
    lab = RunLab()
    lab.slurm.faults = [fault]
    worker = lab.process()
    run = lab.ask()
    await worker.work()
    assert lab.one(run).state is RunState.ASKED
    await lab.process("next").work()
    assert lab.one(run).job_id == 101
    assert "find" not in lab.slurm.calls, "nothing was sent: nothing is looked for"


@pytest.mark.parametrize(
    "fault", [StoreUnavailable("the store"), Conflict("changes"), DoorBroken("cut off")]
)
async def test_a_dataset_that_cannot_be_made_ready_now_is_waited_for(
    fault: StoreUnavailable | Conflict | DoorBroken,
) -> None:
    lab = RunLab()
    lab.parts_faults = [fault]
    worker = lab.process()
    run = lab.ask()
    await worker.work()
    assert lab.one(run).state is RunState.ASKED
    await worker.work()
    assert lab.one(run).state is RunState.PENDING


@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "forgotten"])
async def test_what_slurm_refuses_ends_refused_or_is_forgotten(keeps: bool) -> None:
    lab = RunLab()
    said = "Invalid account or account/partition combination specified"
    lab.slurm.faults = [ClusterRefused("no", reason=said)]
    run = lab.ask(keeps_refused=keeps)
    await lab.process().work()
    assert lab.released == [run.id]
    kept = lab.store.one(run.id)
    assert (kept is not None) is keeps
    if kept is not None:
        assert (kept.state, kept.detail) == (RunState.REFUSED, said)


async def test_a_parent_that_is_gone_refuses_a_run_with_the_reason() -> None:
    lab = RunLab()
    lab.parts_faults = [NotFound("Its parent is no longer there.", "Choose another.")]
    run = lab.ask()
    await lab.process().work()
    ended = lab.one(run)
    assert ended.state is RunState.REFUSED
    assert ended.detail == "Its parent is no longer there. Choose another."


async def test_a_full_disk_is_called_so() -> None:
    lab = RunLab()
    lab.slurm.faults = [DoorRefused("no secret written: No space left on device")]
    run = lab.ask()
    await lab.process().work()
    assert "scratch folder of alice is full" in lab.one(run).detail


async def test_a_controller_that_is_away_ends_nobody() -> None:
    lab = RunLab()
    worker = lab.process()
    run = await running(lab, worker)
    lab.slurm.accounting_fault = ClusterUnreachable("slurmdbd")
    lab.picture.known = {}
    lab.pass_time(10)
    lab.picture.fresh = Freshness(9, lab.now, lab.now)
    for _ in range(30):
        lab.pass_time(60)
        lab.picture.fresh = replace(lab.picture.fresh, taken_at=lab.now)
        with pytest.raises(ClusterUnreachable):
            await worker.keeper.follow()
    assert lab.one(run).state is RunState.RUNNING
    lab.slurm.accounting_fault = None
    lab.pass_time(60)
    await worker.keeper.follow()
    assert lab.one(run).state is RunState.RUNNING, "its silence did not count"


async def test_a_job_that_nobody_knows_is_unknown_only_after_a_while() -> None:
    lab = RunLab()
    worker = lab.process()
    run = await running(lab, worker)
    lab.look()
    await worker.work()
    assert lab.one(run).state is RunState.RUNNING
    lab.pass_time(QUICK.grace)
    lab.look()
    await worker.work()
    ended = lab.one(run)
    assert ended.state is RunState.UNKNOWN
    assert "job 101" in ended.detail


async def test_a_job_that_ended_unseen_is_settled_by_accounting() -> None:
    lab = RunLab()
    worker = lab.process()
    run = lab.ask()
    await worker.work()
    lab.record(101, "FAILED", 3)
    lab.look()
    await worker.work()
    ended = lab.one(run)
    assert (ended.state, ended.exit_code) == (RunState.FAILED, 3)


async def test_tasks_that_ended_unseen_are_told_apart_by_accounting() -> None:
    lab = RunLab()
    lab.folders.usual = None
    worker = lab.process()
    runs = lab.ask_batch(5)
    await worker.work()
    lab.record(101, "COMPLETED")
    ended = lab.slurm.records[101]
    lab.slurm.tasks = {
        "101_0": ended,
        "101_1": replace(ended, state="FAILED", exit_code=3),
        "101_[2-3%2]": replace(ended, state="CANCELLED", started_at=None),
        "99_4": ended,
    }
    lab.look()
    await worker.work()
    found = [(lab.one(run).state, lab.one(run).exit_code) for run in runs]
    assert found == [
        (RunState.COMPLETED, 0),
        (RunState.FAILED, 3),
        (RunState.KILLED, None),
        (RunState.KILLED, None),
        (RunState.PENDING, None),
    ]


async def test_an_array_that_was_cancelled_before_any_task_was_told_apart() -> None:
    lab = RunLab()
    lab.folders.usual = None
    worker = lab.process()
    runs = lab.ask_batch(3)
    await worker.work()
    lab.record(101, "CANCELLED")
    # One of them has a record of its own, and goes on.
    lab.slurm.tasks = {"101": lab.slurm.records[101], "101_1": None}
    lab.look()
    await worker.work()
    found = [lab.one(run).state for run in runs]
    assert found == [RunState.KILLED, RunState.PENDING, RunState.KILLED]


async def test_a_picture_from_before_the_submission_proves_nothing() -> None:
    lab = RunLab()
    worker = lab.process()
    lab.look()
    run = lab.ask()
    await worker.work()
    await worker.work()
    assert lab.one(run).state is RunState.PENDING
    assert lab.slurm.asked_about == []


async def test_one_task_of_an_array_is_stopped_by_its_own_number() -> None:
    lab = RunLab()
    worker = lab.process()
    runs = lab.ask_batch(3)
    await worker.work()
    stopping = lab.store.stopping(runs[1].id, RunState.USER_CANCELED, lab.now)
    await worker.keeper.submission.stop(stopping)
    assert lab.slurm.cancelled == ["101_1"]


async def test_an_unsure_job_is_found_in_the_picture_first() -> None:
    lab = RunLab()
    lab.slurm.faults = [ClusterTimedOut("no answer")]
    run = lab.ask()
    lab.look(lab.job(run.job_name, "PENDING", 555))
    await lab.process().work()
    assert lab.one(run).job_id == 555
    assert lab.slurm.scripts == []


@pytest.mark.parametrize(
    ("tasks", "number", "has"),
    [
        ("1-4,6%2", 3, True),
        ("1-4,6%2", 5, False),
        ("1-4,6%2", 6, True),
        ("0-10:5", 5, True),
        ("0-10:5", 6, False),
        ("7", 7, True),
        (None, 0, False),
        ("", 0, False),
        ("N/A", 0, False),
        ("0-1:0", 1, True),
    ],
)
def test_slurm_word_for_waiting_tasks_is_read(
    tasks: str | None, number: int, has: bool
) -> None:
    assert has_task(tasks, number) is has


def test_a_task_has_its_own_job_or_waits_in_the_one_of_the_rest() -> None:
    lab = RunLab()
    run = replace(lab.ask(), batch=7, task=2, job_id=50)
    waits = make_job(50, "PENDING", name=run.job_name, array_id=50, task="2-5")
    own = make_job(52, "RUNNING", name=run.job_name, array_id=50, task="2")
    foreign = make_job(99, "RUNNING", name=run.job_name, array_id=98, task="2")
    assert job_of(run, [waits, own, foreign]) is own
    assert job_of(run, [waits, foreign]) is waits
    assert job_of(run, [foreign]) is None


async def test_while_slurm_is_away_one_run_asks_and_one_line_is_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lab = RunLab(replace(QUICK, pause=0.2))
    lab.slurm.faults = [ClusterUnreachable("away")] * 8
    runs = [lab.ask() for _ in range(40)]
    worker = lab.process()
    await worker.work()
    await worker.work()
    assert {lab.one(run).state for run in runs} == {RunState.PENDING}
    said = [one for one in caplog.records if "submitted later" in one.getMessage()]
    assert len(said) == 1


async def test_unsure_jobs_keep_nobody_waiting_while_accounting_is_silent() -> None:
    lab = RunLab(replace(QUICK, lease=0.0))
    lab.slurm.faults = [ClusterTimedOut("killed meanwhile")] * AT_ONCE
    lab.slurm.keeps_lost = True
    lab.slurm.find_faults = [ClusterUnreachable("slurmdbd")] * 80
    worker = lab.process()
    runs = [lab.ask() for _ in range(AT_ONCE + 3)]
    await worker.work()
    states = [lab.one(run).state for run in runs]
    assert states == [RunState.ASKED] * AT_ONCE + [RunState.PENDING] * 3
    assert len(lab.slurm.scripts) == AT_ONCE + 3
    lab.slurm.find_faults.clear()
    await worker.work()
    assert {lab.one(run).state for run in runs} == {RunState.PENDING}
    assert len(lab.slurm.scripts) == AT_ONCE + 3, "nothing was submitted twice"
