"""Sessions without jobs, jobs without sessions, servers without either: put right."""

import json
import time
from collections.abc import Iterator

import pytest

from kqi_hub.domain.notebooks import Cause, Phase
from tests.cluster.notebook_lab import (
    PERSON,
    NotebookLab,
    notebook_lab,
    output,
    wait_for,
)
from tests.cluster.portal_lab import down, kqi_hub
from tests.cluster.slurm_jobs import scancel
from tests.cluster.slurm_lab import sbatch_as_alice
from tests.cluster.stack import Stack

_PLAIN = ("--account=vision", "--partition=cpu", "--output=/dev/null")


@pytest.fixture
def lab(stack: Stack) -> Iterator[NotebookLab]:
    with notebook_lab(stack) as made:
        yield made


def submitted_by_hand(name: str) -> int:
    """Return a job of alice's that waits, under the name of a notebook's."""
    return sbatch_as_alice(*_PLAIN, "--hold", f"--job-name={name}", "--wrap=true")


def found(*words: str) -> dict[str, tuple[str, int | None]]:
    """Return what `kqi-hub repair` finds: what it is and its job, by the job's name."""
    ran = kqi_hub("repair", "--json", *words)
    assert ran.returncode == 0, ran.stderr
    return {
        one["job_name"]: (one["kind"], one["job_id"])
        for one in json.loads(ran.stdout)["found"]
    }


def test_a_job_that_was_never_noted_is_told_and_then_noted(lab: NotebookLab) -> None:
    with down(["portal"]):
        session = lab.ask()
        job = submitted_by_hand(session.job_name)
        try:
            assert found()[session.job_name] == ("unnoted", job)
            assert lab.now(session).job_id is None  # told, and nothing done
            assert found("--do")[session.job_name] == ("unnoted", job)
            assert lab.now(session).job_id == job
            assert session.job_name not in found()
        finally:
            scancel(job)
    lab.wait_ended(session, 60)


def test_a_stop_of_what_was_never_submitted_is_noted(lab: NotebookLab) -> None:
    with down(["portal"]):
        session = lab.ask()
        lab.store.stopping(session.id, Cause.STOPPED, time.time())
        assert found()[session.job_name] == ("never-submitted", None)
        assert lab.now(session).is_live
        found("--do")
        assert lab.now(session).cause is Cause.STOPPED
        assert found() == {}
    assert lab.jobs(session) == []


def test_a_stray_job_goes_on_until_somebody_names_it(lab: NotebookLab) -> None:
    name = f"nb-999999-{'abcdefghij' * 2}klmnop"
    job = submitted_by_hand(name)

    def state() -> str:
        return output("squeue", "-h", "-t", "all", "-o", "%T", "-j", str(job)).strip()

    try:
        wait_for(lambda: found().get(name) == ("stray", job), 30, "it is not seen")
        assert found("--do")[name] == ("stray", job)
        assert state() == "PENDING"
        found("--do", "--cancel", str(job))
        wait_for(lambda: state() in {"CANCELLED", ""}, 10, "it was not cancelled")
        wait_for(lambda: name not in found(), 30, "it is told for ever")
    finally:
        scancel(job)


def test_a_server_whose_job_ended_while_the_hub_was_away_is_dropped(
    lab: NotebookLab,
) -> None:
    session = lab.ready()
    with down(["hub"]):
        output("scancel", str(session.job_id))
        ended = lab.wait_ended(session)
        assert ended.cause is Cause.KILLED
    lab.stack.wait_ready("hub")

    def servers() -> dict[str, object]:
        answer = lab.portal.get(f"hub/api/users/{PERSON}")
        assert answer.status_code == 200
        known: dict[str, object] = answer.json()["servers"]
        return known

    wait_for(lambda: session.server not in servers(), 30, "the hub keeps its server")
    assert lab.status(session) != 200
    assert found() == {}
    again = lab.store.ask(session.notebook_id, session.chosen, "b" * 26, time.time())
    lab.started.append(again.id)
    lab.start(again)
    assert lab.wait_phase(again, Phase.READY).job_id != session.job_id
