"""The bases at /opt/kqi-environments, as people of the cluster meet them."""

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from conda_bootstrap.site.shell_commands import NAMES
from kqi_hub.devstack import session_env
from kqi_hub.devstack.layout import ENVIRONMENTS
from tests.cluster.stack import run_as, wait_until

SITE_TOOL = (str(session_env.PYTHON), "-I", "-m", "conda_bootstrap.site")
COMMANDS = ENVIRONMENTS / "bin"


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder of bob's on scratch that nothing else knows of."""
    place = Path("/var/tmp/bob-bases")
    place.mkdir(mode=0o755)
    shutil.chown(place, "bob", "bob")
    yield place
    wait_until(lambda: gone(place), timeout_s=60)


def gone(place: Path) -> bool:
    """Remove a folder into which byte code may still be written by bob's processes."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(place).encode() in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
    shutil.rmtree(place, ignore_errors=True)
    return not place.exists()


def test_people_read_it_whole_and_change_nothing() -> None:
    ran = run_as("alice", *SITE_TOOL, "check")
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (0, "All is well.")
    for user in ("alice", "root"):
        ran = run_as(user, "touch", str(ENVIRONMENTS / "x"))
        assert "Read-only file system" in ran.stderr


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_say_what_they_do(name: str) -> None:
    ran = run_as("alice", str(COMMANDS / name), "-h")
    assert (ran.returncode, ran.stdout[:7], ran.stderr) == (0, "usage: ", "")


def test_plugins_outside_of_an_environment_do_nothing(scratch: Path) -> None:
    command = str(COMMANDS / "kqi_conda_plugins.sh")
    ran = run_as("bob", "sh", command, "--scratch", str(scratch))
    assert ran.returncode == 3
    assert "Nothing was done" in ran.stderr
    assert [*scratch.iterdir()] == []


def test_one_command_makes_the_environment_and_says_what_is_next(
    scratch: Path,
) -> None:
    home, command = f"HOME={scratch}", str(COMMANDS / "kqi_conda_jupyter.sh")
    argv = ["env", home, command, "--scratch", str(scratch)]
    ran = run_as("bob", *argv, timeout=300)
    assert ran.returncode == 0, ran.stderr
    assert "Next:" in ran.stdout
    python = scratch / ".conda/envs/notebook/bin/python"
    ran = run_as("bob", str(python), "-I", "-m", "pip", "check")
    assert ran.stdout == "No broken requirements found.\n"
