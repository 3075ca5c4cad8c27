"""services/sessions: one job a session, whatever happens between hub and Slurm."""

import asyncio
from dataclasses import replace

import pytest

from kqi_hub.domain.errors import (
    ClusterRefused,
    ClusterTimedOut,
    ClusterUnreachable,
    Conflict,
    DoorRefused,
    DoorUnreachable,
)
from kqi_hub.domain.notebooks import Cause, Phase
from kqi_hub.services.session_run import Heard, StartFailed
from kqi_hub.services.sessions import Place
from tests.fakes.sessions import QUICK, Lab
from tests.unit.sessions.steps import begin, queued, started, until


async def test_a_start_submits_once_with_the_secret_and_returns_the_place(
    lab: Lab,
) -> None:
    session = lab.ask()
    run, task = await queued(lab)
    assert await lab.sessions.heard_port(run, 40_000) is Heard.TAKEN
    assert await task == Place("cpu01", 40_000)
    [script] = lab.slurm.scripts
    assert (script.name, script.secret) == (
        session.job_name,
        f"{session.job_name} first",
    )
    assert (lab.last.job_id, lab.last.node, lab.last.port) == (101, "cpu01", 40_000)
    assert lab.last.phase is Phase.QUEUED


async def test_nothing_starts_that_nobody_asked_for(lab: Lab) -> None:
    with pytest.raises(Conflict, match="Nobody has asked"):
        await lab.sessions.claim("alice", 12)
    assert lab.slurm.scripts == []


async def test_somebody_elses_session_is_not_found(lab: Lab) -> None:
    lab.ask()
    with pytest.raises(Conflict):
        await lab.sessions.claim("bob", 12)


async def test_what_is_being_stopped_is_not_started(lab: Lab) -> None:
    session = lab.ask()
    lab.store.stopping(session.id, Cause.STOPPED, lab.now)
    with pytest.raises(Conflict, match="being stopped"):
        await lab.sessions.claim("alice", 12)


async def test_the_node_is_slurms_word_from_the_picture_without_a_question(
    lab: Lab,
) -> None:
    session = lab.ask()
    run, task = await queued(lab)
    lab.look(lab.job(session))
    await until(lambda: run.job is not None)
    await lab.sessions.heard_port(run, 40_000)
    assert (await task).node == "gpu07"
    assert lab.slurm.looks == 0


async def test_what_slurm_refuses_ends_the_session_with_its_reason(lab: Lab) -> None:
    lab.ask()
    lab.slurm.faults = [ClusterRefused("Refused.", reason="Invalid qos")]
    _, task = await begin(lab)
    with pytest.raises(ClusterRefused):
        await task
    assert (lab.last.cause, lab.last.detail) == (Cause.REFUSED, "Invalid qos")


async def test_what_the_door_refuses_ends_the_session(lab: Lab) -> None:
    lab.ask()
    lab.slurm.faults = [DoorRefused("The scratch folder is a link.")]
    _, task = await begin(lab)
    with pytest.raises(DoorRefused):
        await task
    assert lab.last.cause is Cause.FAILED
    assert "link" in lab.last.detail


@pytest.mark.parametrize(
    "said", ["[Errno 28] No space left on device", "[Errno 122] Disk quota exceeded"]
)
async def test_a_full_scratch_folder_is_told_with_what_to_do(
    lab: Lab, said: str
) -> None:
    lab.ask()
    lab.slurm.faults = [DoorRefused(f"no secret written: {said}")]
    _, task = await begin(lab)
    with pytest.raises(DoorRefused):
        await task
    assert lab.last.cause is Cause.FAILED
    assert lab.last.detail.startswith("The scratch folder of alice is full. Delete ")
    assert said.partition("] ")[2] in lab.last.detail


@pytest.mark.parametrize(
    "fault", [ClusterUnreachable("No controller."), DoorUnreachable("No helper.")]
)
async def test_where_nothing_happened_it_is_tried_again(
    lab: Lab, fault: Exception
) -> None:
    lab.ask()
    lab.slurm.faults = [fault, fault]
    run, task = await queued(lab)
    await lab.sessions.heard_port(run, 40_000)
    await task
    assert len(lab.slurm.scripts) == 1


async def test_a_job_whose_answer_was_lost_is_adopted_from_the_picture(
    lab: Lab,
) -> None:
    session = lab.ask()
    lab.slurm.faults, lab.slurm.keeps_lost = [ClusterTimedOut("No answer.")], True
    run, task = await begin(lab)
    await until(lambda: run.unsure_since is not None)
    lab.look(lab.job(session, "PENDING"))
    await until(lambda: run.job_id == 101)
    await lab.sessions.heard_port(run, 40_000)
    await task
    assert len(lab.slurm.scripts) == 1
    assert lab.last.job_id == 101


async def test_a_lost_job_that_speaks_is_adopted_before_any_look(lab: Lab) -> None:
    lab.ask()
    lab.slurm.faults, lab.slurm.keeps_lost = [ClusterTimedOut("No answer.")], True
    run, task = await begin(lab)
    await until(lambda: run.unsure_since is not None)
    await lab.sessions.heard_phase(run, Phase.NODE)
    await lab.sessions.heard_port(run, 40_000)
    await task
    assert len(lab.slurm.scripts) == 1


async def test_nothing_is_submitted_again_before_a_younger_look(lab: Lab) -> None:
    lab.ask()
    lab.slurm.faults = [ClusterTimedOut("No answer.")]
    run, task = await begin(lab)
    await until(lambda: run.unsure_since is not None)
    await asyncio.sleep(0.1)
    assert lab.slurm.scripts == []
    lab.look()
    await until(lambda: run.job_id is not None)
    assert len(lab.slurm.scripts) == 1
    task.cancel()


async def test_an_unanswered_question_proves_nothing(lab: Lab) -> None:
    lab.ask()
    lab.slurm.faults, lab.slurm.keeps_lost = [ClusterTimedOut("No answer.")], True
    lab.slurm.find_faults = [ClusterUnreachable("No accounting.")] * 3
    run, task = await begin(lab)
    await until(lambda: run.unsure_since is not None)
    lab.look()
    await until(lambda: run.job_id == 101)
    assert len(lab.slurm.scripts) == 1
    task.cancel()


async def test_a_start_given_up_leaves_the_submission_to_finish(lab: Lab) -> None:
    lab.ask()
    lab.slurm.gate = asyncio.Event()
    _, task = await begin(lab)
    await lab.slurm.submitting.wait()
    task.cancel()
    lab.slurm.gate.set()
    await until(lambda: lab.last.job_id == 101)
    run, again = await begin(lab, is_told=True)
    await lab.sessions.heard_port(run, 40_000)
    await again
    assert len(lab.slurm.scripts) == 1


async def test_a_new_process_waits_for_the_job_that_is_there(lab: Lab) -> None:
    lab.ask()
    _, task = await queued(lab)
    task.cancel()
    await lab.restart()
    run, again = await begin(lab)
    await until(lambda: bool(lab.files.kept))
    await lab.sessions.heard_port(run, 40_001)
    assert (await again).port == 40_001
    assert len(lab.slurm.scripts) == 1


async def test_a_new_process_that_kept_the_token_writes_no_secret(lab: Lab) -> None:
    lab.ask()
    _, task = await queued(lab)
    task.cancel()
    await lab.restart()
    # On a busy machine the process before had the time to write one.
    lab.files.kept.clear()
    run, again = await begin(lab, is_told=True)
    await asyncio.sleep(0.02)
    await lab.sessions.heard_port(run, 40_001)
    await again
    assert lab.files.kept == {}


async def test_a_process_that_died_while_submitting_may_have_left_a_job(
    lab: Lab,
) -> None:
    session = lab.ask()
    lab.slurm.found[session.job_name] = 777
    await lab.restart()
    run, task = await begin(lab)
    lab.look()
    await until(lambda: run.job_id == 777)
    assert lab.slurm.scripts == []
    task.cancel()


async def test_a_server_that_runs_is_found_again_with_its_token(lab: Lab) -> None:
    lab.ask()
    await started(lab)
    await lab.restart()
    run, task = await begin(lab, is_told=True)
    assert await task == Place("cpu01", 40_000)
    assert await lab.sessions.heard_port(run, 40_001) is Heard.UNWANTED


async def test_a_server_whose_token_is_lost_goes_on_and_is_not_doubled(
    lab: Lab,
) -> None:
    lab.ask()
    await started(lab)
    await lab.restart()
    run, task = await begin(lab)
    with pytest.raises(StartFailed, match="lost the key"):
        await task
    assert await lab.sessions.stop(run) is False
    assert lab.last.is_live
    assert (len(lab.slurm.scripts), lab.slurm.cancelled) == (1, [])


async def test_an_early_death_is_told_at_once_with_its_log(lab: Lab) -> None:
    lab.ask()
    run, task = await queued(lab)
    await lab.sessions.heard_ended(run, 3)
    with pytest.raises(StartFailed, match="exit code 3") as raised:
        await task
    assert "/scratch/alice/log/101.log" in raised.value.hint
    assert (lab.last.cause, lab.last.exit_code) == (Cause.FAILED, 3)


async def test_a_silent_death_is_seen_in_the_picture(lab: Lab) -> None:
    session = lab.ask()
    _, task = await queued(lab)
    lab.look(lab.job(session, "OUT_OF_MEMORY"))
    with pytest.raises(StartFailed, match="OUT_OF_MEMORY"):
        await task


async def test_a_job_id_that_came_again_is_not_ours(lab: Lab) -> None:
    lab.ask()
    run, task = await queued(lab)
    other = lab.job(lab.last, "FAILED")
    lab.look(replace(other, name="nb-9-other"))
    await until(lambda: run.looked_at is not None)
    assert not run.over
    task.cancel()


async def test_a_picture_that_lacks_the_job_ends_nothing(lab: Lab) -> None:
    lab.ask()
    run = await started(lab)
    lab.look()
    await until(lambda: run.looked_at is not None)
    assert not run.over


async def test_a_session_that_the_worker_ended_is_over(lab: Lab) -> None:
    lab.ask()
    run = await started(lab)
    told: list[bool] = []
    run.tell_over = lambda: told.append(True)
    lab.store.kept[1] = replace(lab.last, ended_at=lab.now, cause=Cause.LIFETIME)
    lab.look()
    await until(lambda: run.over)
    assert told == [True]


async def test_a_wait_beyond_all_patience_is_given_up_and_the_job_ended(
    lab: Lab,
) -> None:
    lab.sessions = lab.process(replace(QUICK, longest_wait=0.05))
    lab.ask()
    run, task = await queued(lab)
    with pytest.raises(StartFailed, match="given up"):
        await task
    assert await lab.sessions.stop(run) is True
    assert lab.slurm.cancelled == [101]
    assert lab.last.cause is Cause.FAILED


async def test_a_port_told_to_a_process_that_then_dies_is_not_lost(lab: Lab) -> None:
    session = lab.ask()
    run, task = await queued(lab)
    task.cancel()  # as kill -9 would: nothing is done after the answer
    assert await lab.sessions.heard_port(run, 40_000) is Heard.TAKEN
    assert lab.store.kept[session.id].port == 40_000
    await lab.restart()
    _, again = await begin(lab, is_told=True)
    assert (await again).port == 40_000


async def test_a_port_told_again_is_taken_again(lab: Lab) -> None:
    lab.ask()
    run, _ = await queued(lab)
    assert await lab.sessions.heard_port(run, 40_000) is Heard.TAKEN
    assert await lab.sessions.heard_port(run, 40_000) is Heard.TAKEN


async def test_a_port_is_taken_once(lab: Lab) -> None:
    lab.ask()
    run, task = await queued(lab)
    assert await lab.sessions.heard_port(run, 40_000) is Heard.TAKEN
    assert await lab.sessions.heard_port(run, 40_001) is Heard.UNWANTED
    assert (await task).port == 40_000


async def test_an_idle_end_keeps_what_the_rule_saw(lab: Lab) -> None:
    lab.ask()
    run = await started(lab)
    await lab.sessions.heard_ending(run, Cause.IDLE, [("kernels_busy", 0)])
    await lab.sessions.heard_ended(run, 0)
    assert lab.last.cause is Cause.IDLE
    assert lab.last.seen == (("kernels_busy", 0),)


async def test_why_a_ready_one_ended_is_for_slurm_to_say(lab: Lab) -> None:
    lab.ask()
    run = await started(lab)
    await lab.sessions.heard_ended(run, 143)
    assert run.over
    assert lab.last.is_live
    assert lab.snapshot.asked == lab.now


async def test_a_secret_file_goes_when_the_server_is_forgotten(lab: Lab) -> None:
    session = lab.ask()
    run = await started(lab)
    await lab.sessions.heard_ended(run, 0)
    lab.sessions.forget(run.id)
    await until(lambda: lab.files.dropped == [session.job_name])


async def test_a_session_that_goes_on_is_not_forgotten(lab: Lab) -> None:
    lab.ask()
    run = await started(lab)
    lab.sessions.forget(run.id)
    assert await lab.sessions.claim("alice", 12) is run
    assert lab.files.dropped == []
