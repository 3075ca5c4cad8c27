"""A training reads a dataset, locks it while it is kept, and lets go of its tree."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kqi_hub.bootstrap.database import open_database
from kqi_hub.db.trees import SqlTreeStore
from kqi_hub.domain.dataset_ports import run_holder
from kqi_hub.settings.loader import load_settings
from tests.cluster.notebook_lab import notebook_lab
from tests.cluster.run_lab import RunsOfPerson, runs_of
from tests.cluster.stack import Stack, run_as, wait_until
from tests.cluster.test_dataset_notebook import FILES, SUMS, DatasetLab, sums_of


@pytest.fixture
def lab(stack: Stack) -> Iterator[DatasetLab]:
    with notebook_lab(stack) as made:
        yield DatasetLab(made)


@pytest.fixture
def alice(stack: Stack) -> Iterator[RunsOfPerson]:
    with runs_of(stack) as made:
        yield made


def holders() -> tuple[str, ...]:
    """Return who holds a tree."""
    settings = load_settings(Path("/etc/kqi/kqi.toml"))
    return SqlTreeStore(open_database(settings)).holders()


@pytest.mark.parametrize("staging", ["link", "copy"])
def test_a_training_reads_its_dataset_and_locks_it_until_it_is_deleted(
    lab: DatasetLab, alice: RunsOfPerson, staging: str
) -> None:
    data = lab.data(FILES)
    dataset = lab.dataset(training=[data])
    command = f'{SUMS}\n! touch "$KQI_INPUT/new"\n'
    run = alice.ask(command, dataset=dataset, staging=staging)
    ended = alice.ended(run)
    assert ended["state"] == "completed", alice.told(run)
    log = alice.log(run)
    paths = [line.partition("  ./")[2] for line in log.splitlines()]
    [first] = [path for path in paths if path.endswith("/a/one.txt")]
    folder = first.removesuffix("/a/one.txt")
    assert sums_of(folder, FILES) <= set(log.splitlines())
    assert _locks(lab, dataset) == 1
    holder = run_holder(run["id"])
    wait_until(lambda: holder not in holders(), 30)
    assert alice.client.delete(f"training/{run['id']}").status_code == 204
    assert _locks(lab, dataset) == 0
    assert not alice.folder(run).exists()


def test_a_live_training_ends_with_its_tensorboard_before_it_is_deleted(
    lab: DatasetLab, alice: RunsOfPerson
) -> None:
    dataset = lab.dataset(training=[lab.data(FILES)])
    run = alice.ask("touch output/half; exec sleep 600", dataset=dataset)
    running = alice.wait(run, "running")
    name = f"tensorboard-{run['id']}-{'b' * 26}"
    head = f"#!/bin/bash\n#SBATCH --job-name={name}\n#SBATCH --partition=cpu\n"
    board = alice.sbatch(f"{head}#SBATCH --mem=100M\nexec sleep 600\n").stdout.strip()
    wait_until(lambda: "R" in _in_queue(board), 30, lambda: _in_queue(board))
    path = f"training/{run['id']}"
    gone = [alice.client.delete(path).status_code for _ in range(2)]
    assert gone == [204, 204]
    assert alice.now(run)["status"] == "deleting"
    wait_until(lambda: alice.client.get(path).status_code == 404, 60)
    assert alice.jobs(run) == [str(running["job_id"])]
    assert _in_queue(str(running["job_id"])) == ""
    assert _locks(lab, dataset) == 0
    wait_until(lambda: not alice.folder(run).exists(), 90)
    wait_until(lambda: _in_queue(board) == "", 30, lambda: _in_queue(board))
    wait_until(lambda: run_holder(run["id"]) not in holders(), 30)
    kept = ("sacct", "-X", "-n", "-P", "-o", "state", "-j", str(running["job_id"]))
    assert run_as("root", *kept).stdout.startswith("CANCELLED")


def _in_queue(job: str) -> str:
    """Return how a job that has not ended stands; empty for others."""
    words = ("squeue", "-h", "-t", "PD,R", f"--jobs={job}", "-o", "%t")
    return run_as("root", *words).stdout.strip()


def _locks(lab: DatasetLab, dataset: int) -> int:
    found: dict[str, Any] = lab.call("GET", f"datasets/{dataset}")
    return int(bool(found["is_locked"]))
