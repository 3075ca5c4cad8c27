"""The real Slurm of the embedded cluster as tests of the adapter see it."""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kqi_hub.devstack.control import ask
from kqi_hub.runas.client import SudoDoor
from kqi_hub.slurm.cli import CliCluster
from tests.contract.cluster_contract import Lab

only_inside = pytest.mark.skipif(
    "KQI_STACK" not in os.environ,
    reason="only inside the embedded cluster: ./test CLUSTER",
)
CLUSTER = "demo"
# Tests run as root; the portal's user is the only one that the helper lets in.
DOOR = (
    *("/usr/sbin/runuser", "-u", "kqi", "--", "/usr/bin/sudo", "-n"),
    *("/usr/bin/python3", "-I", "/opt/kqi-hub/kqi_hub/runas/helper.py", "once"),
    *("--config", "/etc/kqi/runas.toml"),
)


def open_cluster(timeout_s: float = 15.0) -> CliCluster:
    """Return the adapter as the portal uses it."""
    return CliCluster(CLUSTER, SudoDoor(DOOR), timeout_s=timeout_s)


def open_lab() -> Lab:
    """Return a lab of alice, with bob for the other person."""
    return Lab(
        cluster=open_cluster(),
        person="alice",
        other="bob",
        account="vision",
        partition="cpu",
        chdir="/tmp",
        now=time.time,
        wait=asyncio.sleep,
    )


def sbatch_as_alice(*options: str | bytes) -> int:
    """Submit as a person at a terminal does, with no rules about names."""
    ran = subprocess.run(
        ["/usr/sbin/runuser", "-u", "alice", "--", "sbatch", "--parsable", *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        cwd="/tmp",
        env={"PATH": "/usr/sbin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    return int(ran.stdout.split(b";")[0])


@contextmanager
def service(name: str, before: str, after: str) -> Iterator[None]:
    """Do something to a service of the cluster, and the opposite afterwards."""
    control = Path(os.environ["KQI_STACK"]) / "control.sock"
    _act(control, name, before)
    try:
        yield
    finally:
        _act(control, name, after)


def _act(control: Path, name: str, action: str) -> None:
    for answer in ask(control, verb="service", service=name, action=action):
        assert "error" not in answer, answer
