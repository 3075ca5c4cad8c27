"""What the picture, accounting and silence make of runs."""

import asyncio
from collections.abc import Mapping, Sequence
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
from kqi_hub.domain.run_ports import Collected, Told
from kqi_hub.domain.runs import Run, RunState
from kqi_hub.services.run_adopting import original_of
from kqi_hub.services.run_jobs import has_task, job_of
from kqi_hub.services.run_keeping import RunKeeper
from tests.fakes.run_lab import QUICK, Process, RunLab
from tests.fakes.slurm_reader import make_job


async def running(lab: RunLab, worker: Process) -> Run:
    """Bring a run to where its job runs."""
    run = lab.ask()
    await worker.work()
    lab.look_at_slurm("RUNNING")
    await worker.work()
    found = lab.one(run)
    assert (found.state, found.node) == (RunState.RUNNING, "gpu07")
    return found


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


async def test_a_picture_from_before_the_submission_proves_nothing() -> None:
    lab = RunLab()
    worker = lab.process()
    lab.look()
    run = lab.ask()
    await worker.work()
    await worker.work()
    assert lab.one(run).state is RunState.PENDING
    assert lab.slurm.asked_about == []


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


async def test_one_task_of_an_array_is_stopped_by_its_own_number() -> None:
    lab = RunLab()
    worker = lab.process()
    runs = lab.ask_batch(3)
    await worker.work()
    stopping = lab.store.stopping(runs[1].id, RunState.USER_CANCELED, lab.now)
    await worker.keeper.submission.stop(stopping)
    assert lab.slurm.cancelled == ["101_1"]


async def test_folders_of_deleted_runs_are_removed_or_stay_noted() -> None:
    lab = RunLab()
    worker = lab.process()
    run = await running(lab, worker)
    lab.look(lab.job(run.job_name, "COMPLETED"))
    await worker.work()
    lab.store.delete(run.id)
    lab.folders.faults = [DoorUnreachable("away")]
    await worker.keeper.tidy()
    assert len(lab.store.removals()) == 1
    await worker.keeper.tidy()
    assert lab.folders.removed == [("alice", run.folder)]
    assert lab.store.removals() == ()


async def test_a_folder_that_cannot_be_removed_keeps_no_other_one() -> None:
    lab = RunLab()
    worker = lab.process()
    runs = [lab.ask(), lab.ask()]
    await worker.work()
    for state in ("RUNNING", "COMPLETED"):
        lab.look_at_slurm(state)
        await worker.work()
    for run in runs:
        lab.store.delete(run.id)
    lab.folders.faults = [Conflict("both"), Conflict("the first")]
    await worker.keeper.tidy()
    assert [one.run_id for one in lab.store.removals()] == [runs[0].id]


async def test_the_price_that_a_node_decides_is_noted_once() -> None:
    lab = RunLab()
    worker = lab.process()
    run = await running(lab, worker)
    asked = []

    async def prices(runs: Sequence[Run]) -> Mapping[int, int]:
        asked.append([one.id for one in runs])
        return {run.id: 250}

    keeper = RunKeeper(worker.keeper.world, prices=prices)
    await keeper.note_prices()
    await keeper.note_prices()
    assert lab.one(run).per_hour == 250
    assert asked == [[run.id]]


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
