"""Stores that run, and a disk without a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kqi_hub.store.house import House
from tests.adapters.store.running import Store, a_store, why_not


@pytest.fixture(scope="session")
def able() -> None:
    """Skip where nobody can become somebody else."""
    if reason := why_not():
        pytest.skip(reason)


@pytest.fixture(scope="module")
def store(able: None) -> Iterator[Store]:
    """Return a running store, shared by the tests of a module."""
    with a_store() as made:
        made.start()
        yield made


@pytest.fixture
def own_store(able: None) -> Iterator[Store]:
    """Return a running store of the test's own."""
    with a_store() as made:
        made.start()
        yield made


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return the disk of a store with two tenants, without its faces."""
    for tenant in ("vision", "nlp"):
        (tmp_path / tenant).mkdir()
    return House(tmp_path)
