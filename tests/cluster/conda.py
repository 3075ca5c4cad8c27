"""Environments of the demo's people, made from a terminal as they would."""

import json
import sys
from pathlib import Path

import pytest

from tests.cluster.stack import run_as

SITE = Path("/opt/kqi-environments")
_HELPER = "/opt/kqi-hub/kqi_hub/runas/helper.py"
# 150 packages, on a busy machine.
_LONGEST_S = 300


def make_environment(person: str, name: str, *options: str) -> Path:
    """Make one and return its folder; the test is skipped without conda packages."""
    if not SITE.is_dir():
        pytest.skip("this demo has no conda packages")
    scratch = _scratch_of(person)
    where = ("--scratch", str(scratch), "--site", str(SITE))
    argv = (sys.executable, "-I", "-m", "conda_bootstrap", *where)
    ran = run_as(person, *argv, "create", name, *options, timeout=_LONGEST_S)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return scratch / ".conda/envs" / name


def have_environment(person: str, name: str) -> Path:
    """Return somebody's environment of the site's base, made if it is not there."""
    folder = Path("/scratch") / person / ".conda/envs" / name
    return (
        folder if (folder / "bin/python").exists() else make_environment(person, name)
    )


def _scratch_of(person: str) -> Path:
    """Have the door make somebody's folders, who may never have started anything."""
    wish = {"verb": "make-scratch", "person": person, "arguments": {}}
    door = (
        "/usr/bin/python3",
        "-I",
        _HELPER,
        "once",
        "--config",
        "/etc/kqi/runas.toml",
    )
    ran = run_as("kqi", "sudo", "-n", *door, input=json.dumps(wish) + "\n")
    assert json.loads(ran.stdout)["exit_code"] == 0, ran.stdout
    return Path("/scratch") / person
