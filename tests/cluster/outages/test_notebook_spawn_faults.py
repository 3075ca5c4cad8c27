"""Notebooks while parts fail: nothing lost, nothing doubled, nobody's work ended."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kqi_hub.domain.notebooks import Cause, Phase, Session
from tests.cluster.notebook_lab import NotebookLab, notebook_lab, output, wait_for
from tests.cluster.stack import Stack


@pytest.fixture
def lab(stack: Stack) -> Iterator[NotebookLab]:
    with notebook_lab(stack) as made:
        yield made


@contextmanager
def closed_queue(name: str) -> Iterator[None]:
    """Keep the jobs of a queue waiting."""
    output("scontrol", "update", f"partition={name}", "state=down")
    try:
        yield
    finally:
        output("scontrol", "update", f"partition={name}", "state=up")


def again(lab: NotebookLab, session: Session) -> None:
    """Ask the hub again, as the portal's keeper does for what the hub forgot."""
    wait_for(
        lambda: lab.post(session, {"profile": "notebook"}).status_code in {201, 202},
        30,
        "the hub does not take the start",
    )


def test_a_submission_that_slurm_answered_too_late_is_adopted_and_not_doubled(
    lab: NotebookLab,
) -> None:
    lab.stack.pause("slurmctld")
    session = lab.ask()
    lab.start(session)
    time.sleep(40)  # sbatch and the door give up in this time
    assert lab.now(session).job_id is None
    lab.stack.resume("slurmctld")
    lab.wait_phase(session, Phase.READY, 180)
    wait_for(lambda: lab.jobs(session), 30, "accounting has no such job")
    assert lab.jobs(session) == [str(lab.now(session).job_id)]


@pytest.mark.parametrize("name", ["hub", "worker", "proxy", "portal"])
def test_kill_9_of_a_part_leaves_a_session_as_it_is(
    lab: NotebookLab, name: str
) -> None:
    session = lab.ready()
    lab.stack.kill(name)
    lab.stack.wait_ready(name)
    wait_for(lambda: lab.status(session) == 200, 60, f"away after the end of {name}")
    now = lab.now(session)
    assert (now.job_id, now.stopping, now.is_live) == (session.job_id, None, True)
    lab.stop(session)
    assert lab.wait_ended(session).cause is Cause.STOPPED


def test_a_server_that_does_not_answer_a_new_hub_keeps_its_job(
    lab: NotebookLab,
) -> None:
    session = lab.ready()
    pids = [int(pid) for pid in output("pgrep", "-u", "alice", "-f", "kqi_hub").split()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        lab.stack.kill("hub")
        lab.stack.wait_ready("hub")
        time.sleep(8)
        state = output("squeue", "-h", "-o", "%T", "-j", str(session.job_id))
        assert state.strip() == "RUNNING"
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    wait_for(lambda: lab.status(session) == 200, 60, "it did not come back")
    assert lab.now(session).is_live


def test_a_hub_killed_while_a_notebook_waits_goes_on_with_the_same_job(
    lab: NotebookLab,
) -> None:
    with closed_queue("cpu"):
        session = lab.ask()
        lab.start(session)
        lab.wait_phase(session, Phase.QUEUED)
        lab.stack.kill("hub")
        lab.stack.wait_ready("hub")
        again(lab, session)
    ready = lab.wait_phase(session, Phase.READY, 90)
    assert lab.status(session) == 200
    assert lab.jobs(session) == [str(ready.job_id)]


def test_a_hub_killed_while_a_server_boots_gets_it_back(lab: NotebookLab) -> None:
    session = lab.ask()
    lab.start(session)
    lab.wait_phase(session, Phase.NODE)
    lab.stack.kill("hub")
    lab.stack.wait_ready("hub")
    again(lab, session)
    ready = lab.wait_phase(session, Phase.READY, 90)
    assert lab.status(session) == 200
    assert lab.jobs(session) == [str(ready.job_id)]


def test_a_proxy_that_is_away_during_a_start_costs_nobody_the_job(
    lab: NotebookLab,
) -> None:
    session = lab.ask()
    lab.start(session)
    lab.wait_phase(session, Phase.SERVER)
    lab.stack.hold("proxy")
    time.sleep(5)
    lab.stack.release("proxy")
    lab.stack.wait_ready("proxy")
    assert lab.now(session).is_live
    state = output("squeue", "-h", "-o", "%T", "-j", str(lab.now(session).job_id))
    assert state.strip() == "RUNNING"


def test_a_waiting_notebook_is_stopped_without_ever_running(lab: NotebookLab) -> None:
    with closed_queue("cpu"):
        session = lab.ask()
        lab.start(session)
        queued = lab.wait_phase(session, Phase.QUEUED)
        lab.stop(session)
        ended = lab.wait_ended(session, 15)
    assert ended.cause is Cause.STOPPED
    state = output("squeue", "-h", "-t", "all", "-o", "%T", "-j", str(queued.job_id))
    assert state.strip() in {"CANCELLED", ""}


def test_what_slurm_refuses_says_why(lab: NotebookLab) -> None:
    session = lab.ask(tenant="nobodys")
    lab.start(session)
    ended = lab.wait_ended(session, 30)
    assert ended.cause is Cause.REFUSED
    assert "account" in ended.detail.lower()
