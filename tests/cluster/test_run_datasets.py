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
from tests.cluster.stack import Stack, wait_until
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


def _locks(lab: DatasetLab, dataset: int) -> int:
    found: dict[str, Any] = lab.call("GET", f"datasets/{dataset}")
    return int(bool(found["is_locked"]))
