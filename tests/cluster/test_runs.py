"""Runs from the request to what is kept of them, through the real Slurm."""

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from kqi_hub.bootstrap.cluster import open_cluster
from kqi_hub.devstack.layout import Folder
from kqi_hub.domain.job import EndedJob
from kqi_hub.services.run_jobs import has_task
from kqi_hub.settings.loader import load_settings
from tests.cluster.run_lab import Now, RunsOfPerson, runs_of
from tests.cluster.slurm_jobs import sbatch, scancel
from tests.cluster.stack import Stack, run_as, wait_until


@pytest.fixture
def alice(stack: Stack) -> Iterator[RunsOfPerson]:
    with runs_of(stack) as made:
        yield made


@pytest.fixture(scope="module", autouse=True)
def too_long() -> Iterator[tuple[RunsOfPerson, Now]]:
    """Ask for a run that outlives its limit, beside all other tests here."""
    stack = Stack(Folder(Path(os.environ["KQI_STACK"])))
    with runs_of(stack, "bob") as bob:
        yield bob, bob.ask("sleep 600", tenant="nlp", lifetime_s=60)


def test_a_training_runs_and_its_output_and_value_are_kept(alice: RunsOfPerson) -> None:
    command = (
        'echo "a line of the log"\n'
        'echo model > "$KQI_OUTPUT/model.bin"\n'
        'echo 0.93 > "$KQI_OUTPUT/value.txt"\n'
    )
    run = alice.ask(command, variables=[{"name": "EPOCHS", "value": "a 'b' \"c\" $d"}])
    assert run["state"] in {"asked", "pending"}
    ended = alice.ended(run)
    assert (ended["state"], ended["exit_code"]) == ("completed", 0), alice.told(run)
    assert ended["value"] == "0.93"
    assert ended["files"] == 2
    assert "a line of the log" in alice.log(run)
    assert (alice.folder(run) / "output" / "model.bin").read_text() == "model\n"
    states = alice.events(run)
    assert states[0] == "asked"
    assert states[-2:] == ["collecting", "completed"]
    assert len(alice.jobs(run)) == 1
    secret = alice.scratch / "kqi" / "secrets" / run["job_name"]
    assert not secret.exists(), "its order with its credentials is gone"


def test_a_command_that_fails_has_its_exit_code(alice: RunsOfPerson) -> None:
    ended = alice.ended(alice.ask("exit 3"))
    assert (ended["state"], ended["exit_code"]) == ("failed", 3), alice.told(ended)


def test_a_run_that_is_stopped_is_called_as_its_owner_chose(
    alice: RunsOfPerson,
) -> None:
    runs = [alice.ask("sleep 300") for _ in range(2)]
    for run, as_failed in zip(runs, (False, True), strict=True):
        alice.wait(run, "running")
        alice.stop(run, as_failed=as_failed)
    ended = [alice.ended(run)["state"] for run in runs]
    assert ended == ["user-canceled", "killed"]


def test_what_is_cancelled_outside_the_portal_was_killed(alice: RunsOfPerson) -> None:
    run = alice.wait(alice.ask("sleep 300"), "running")
    run_as("alice", "scancel", run["slurm_id"])
    assert alice.ended(run)["state"] == "killed"


def test_an_inference_reads_the_output_of_its_training(alice: RunsOfPerson) -> None:
    parent = alice.ended(alice.ask('echo weights > "$KQI_OUTPUT/w"'))
    command = 'cat "$KQI_HOME/parent/w"; ! touch "$KQI_HOME/parent/new"'
    parents = [{"kind": "training", "id": parent["id"]}]
    run = alice.ask(command, kind="inference", parents=parents)
    ended = alice.ended(run)
    assert ended["state"] == "completed", alice.told(run)
    assert "weights" in alice.log(run)


def test_slurm_that_refuses_is_quoted(alice: RunsOfPerson, stack: Stack) -> None:
    """A limit that the portal does not know of: accounting's own for the person."""
    limit = ("sacctmgr", "-i", "modify", "user", "alice", "set")
    assert run_as("root", *limit, "MaxSubmitJobs=0").returncode == 0
    try:
        run = alice.ask("true")
        ended = alice.ended(run)
    finally:
        run_as("root", *limit, "MaxSubmitJobs=-1")
    assert ended["state"] == "refused"
    assert "limit" in ended["detail"].lower(), ended["detail"]
    assert alice.jobs(run) == []


def test_a_prepared_script_is_submitted_by_hand_and_followed(
    alice: RunsOfPerson,
) -> None:
    run = alice.ask('echo by hand > "$KQI_OUTPUT/value.txt"', is_prepared=True)
    assert run["state"] == "prepared"
    ran = alice.sbatch(alice.script(run))
    assert ran.returncode == 0, ran.stderr
    ended = alice.ended(run)
    assert (ended["state"], ended["value"]) == ("completed", "by hand"), alice.told(run)
    assert ended["slurm_id"] == ran.stdout.strip().split(";")[0]


def test_a_script_that_is_submitted_again_becomes_a_copy(alice: RunsOfPerson) -> None:
    run = alice.ended(alice.ask('sleep 20; echo once > "$KQI_OUTPUT/value.txt"'))
    ran = alice.sbatch(alice.script(run))
    assert ran.returncode == 0, ran.stderr
    job = int(ran.stdout.strip().split(";")[0])

    def copies() -> list[Now]:
        found = alice.client.get("training", params={"name": run["name"]})
        return [one for one in found.json()["runs"] if one["job_id"] == job]

    wait_until(lambda: bool(copies()), 60, lambda: run)
    ended = alice.ended(copies()[0])
    assert (ended["state"], ended["value"]) == ("completed", "once"), alice.told(ended)
    assert ended["id"] != run["id"]
    assert alice.now(run)["slurm_id"] == run["slurm_id"]
    for one in (run, ended):
        listed = alice.client.get(f"jobs/{one['slurm_id']}").json()["job"]
        assert (listed["kind"], listed["thing"]) == ("training", one["id"])


def test_a_worker_that_is_killed_in_the_middle_loses_nothing(
    alice: RunsOfPerson, stack: Stack
) -> None:
    runs = [alice.ask('sleep 8; echo 1 > "$KQI_OUTPUT/value.txt"') for _ in range(6)]
    for run in runs:
        alice.wait(run, "running", "collecting", "completed", limit_s=180)
        stack.kill("worker")
    stack.wait_ready("worker")
    for run in runs:
        ended = alice.ended(run, limit_s=180)
        assert (ended["state"], ended["value"]) == ("completed", "1"), alice.told(run)
        assert len(alice.jobs(run)) == 1


def test_a_run_that_is_longer_than_its_limit_is_timed_out(
    too_long: tuple[RunsOfPerson, Now],
) -> None:
    bob, run = too_long
    ended = bob.ended(run, limit_s=240)
    assert ended["state"] == "timed-out", bob.told(run)


def test_the_log_says_when_a_run_has_ended(alice: RunsOfPerson, stack: Stack) -> None:
    ended = alice.ended(alice.ask("true"))
    lines = [line for line in stack.log("worker", 200).splitlines() if "ended" in line]
    assert any(f"run={ended['id']} " in f"{line} " for line in lines), lines


def test_a_result_on_the_disk_is_not_what_others_may_read(alice: RunsOfPerson) -> None:
    run = alice.ended(alice.ask("true"))
    folder = alice.folder(run)
    result = json.loads((folder / "result.json").read_text())
    assert result["exit_code"] == 0
    assert run_as("bob", "cat", str(folder / "order.json")).returncode != 0


def test_accounting_tells_tasks_of_an_array_apart() -> None:
    command = "test $SLURM_ARRAY_TASK_ID = 0 || exit 3; sleep 1"
    job = sbatch("alice", "-p", "cpu", "-A", "vision", "--array=0-5%2", wrap=command)
    wait_until(lambda: {f"{job}_0", f"{job}_1"} <= set(ended_tasks(job)), 60)
    scancel(job)
    wait_until(lambda: covers(ended_tasks(job), job, 6), 60, lambda: ended_tasks(job))
    found = ended_tasks(job)
    assert (found[f"{job}_0"].state, found[f"{job}_0"].exit_code) == ("COMPLETED", 0)
    assert (found[f"{job}_1"].state, found[f"{job}_1"].exit_code) == ("FAILED", 3)


def test_an_array_that_is_cancelled_before_it_starts_has_ended_as_a_whole() -> None:
    options = ("-p", "cpu", "-A", "vision", "--array=0-3", "--begin=now+1hour")
    job = sbatch("alice", *options, wrap="true")
    scancel(job)
    wait_until(lambda: str(job) in ended_tasks(job), 60, lambda: ended_tasks(job))
    assert ended_tasks(job)[str(job)].state == "CANCELLED"


def ended_tasks(job: int) -> Mapping[str, EndedJob]:
    cluster = open_cluster(load_settings(Path("/etc/kqi/kqi.toml")))
    found = asyncio.run(cluster.ended_tasks([job]))
    return {word: end for word, end in found.items() if end is not None}


def covers(found: Mapping[str, EndedJob], job: int, tasks: int) -> bool:
    """Tell whether each task has an end, of its own or with others."""
    words = [word.partition("_")[2].strip("[]") for word in found]
    return all(any(has_task(word, task) for word in words) for task in range(tasks))
