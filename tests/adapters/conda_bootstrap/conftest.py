"""A person with nothing yet, and one with an environment that several tests read."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kqi_hub.devstack.environments import Environments
from tests.adapters.conda_bootstrap.person import Person, make_person


@pytest.fixture
def person(tmp_path: Path, real_site: Environments) -> Person:
    return make_person(tmp_path, real_site.site)


@pytest.fixture(scope="module")
def settled(
    tmp_path_factory: pytest.TempPathFactory, real_site: Environments
) -> Iterator[Person]:
    """Give a person who has the environment `first` of the base `minimal`."""
    made = make_person(tmp_path_factory.mktemp("settled"), real_site.site)
    answer = made.json("create", "first", "--base", "minimal")
    assert answer.code == 0, answer.out + answer.err
    yield made


@pytest.fixture
def somebody(tmp_path: Path) -> Person:
    """Give a person of a site that has nothing to install."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "site.json").write_text('{"version": 1, "channels": [], "bases": []}')
    made = make_person(tmp_path, site)
    made.places.make()
    return made
