"""Houses with a running helper."""

from collections.abc import Iterator

import pytest

from tests.adapters.runas.house import House, a_house, why_not


@pytest.fixture(scope="session")
def able() -> None:
    """Skip where nobody can become somebody else."""
    if reason := why_not():
        pytest.skip(reason)


@pytest.fixture(scope="module")
def house(able: None) -> Iterator[House]:
    """Return a house with a running helper, shared by the tests of a module."""
    with a_house() as made:
        made.start()
        yield made


@pytest.fixture
def empty_house(able: None) -> Iterator[House]:
    """Return a house of its own without a running helper."""
    with a_house() as made:
        yield made


@pytest.fixture
def own_house(empty_house: House) -> House:
    """Return a house of its own with a running helper."""
    empty_house.start()
    return empty_house
