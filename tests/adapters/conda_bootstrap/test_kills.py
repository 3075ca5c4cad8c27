"""kill -9 at a few moments of create and reset; `./bench env_kill` does it more."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import env_kill
from conda_bootstrap.places import Places
from kqi_hub.devstack.environments import Environments

pytestmark = [pytest.mark.slow, pytest.mark.alone]

MOMENTS = 4
Command = Callable[[Path, Path], env_kill.Subject]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("kills") / "scratch"
    place.mkdir()
    return place


@pytest.mark.parametrize("command", [env_kill.create, env_kill.reset])
def test_nothing_half_is_ever_found_and_the_next_run_completes(
    scratch: Path, real_site: Environments, command: Command
) -> None:
    subject = command(scratch, real_site.site)
    stems = env_kill.stems_of(real_site.site)
    found = [*env_kill.trials(subject, stems, MOMENTS)]
    assert any(one.was_killed for one in found)
    assert not [one for one in found if one.is_half]
    assert all(one.completed for one in found)
    assert env_kill.left_behind(Places(scratch)) == []


def test_the_same_kills_leave_halves_where_nothing_is_staged(
    tmp_path: Path, real_site: Environments
) -> None:
    """So that the test above is known to be able to fail."""
    subject = env_kill.straight(tmp_path, real_site.site)
    stems = env_kill.stems_of(real_site.site)
    found = [*env_kill.trials(subject, stems, MOMENTS * 2)]
    assert any(one.is_half for one in found)
