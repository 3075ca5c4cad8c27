"""Tests of this folder run inside the embedded cluster, where everything is real."""

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from kqi_hub.devstack.layout import Folder
from tests.cluster.stack import Ran, Stack, run_as

_HERE = Path(__file__).parent
_STACK = os.environ.get("KQI_STACK", "")
_TOLD_ON_FAILURE = ("slurmctld", "slurmdbd", "worker", "runas")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip this folder outside of the embedded cluster."""
    if _STACK:
        return
    reason = (
        "inside only: ./demo up, ./demo run .venv/bin/python -m pytest tests/cluster"
    )
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the ends of the logs that matter into the report of a failed test."""
    report = yield
    if report.failed and _STACK and _HERE in item.path.parents:
        stack = Stack(Folder(Path(_STACK)))
        for name in _TOLD_ON_FAILURE:
            report.sections.append((f"the end of {name}.log", stack.log(name)))
    return report


@pytest.fixture
def stack() -> Iterator[Stack]:
    """Return the cluster's services; what the test breaks is mended after it."""
    stack = Stack(Folder(Path(_STACK)))
    yield stack
    stack.mend()


@pytest.fixture
def as_user() -> Callable[..., Ran]:
    """Return a function that runs a command as a person: as_user("alice", "id")."""
    return run_as
