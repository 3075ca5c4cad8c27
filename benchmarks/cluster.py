"""An embedded cluster of its own for benchmarks, made anew for each run."""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kqi_hub.devstack.layout import Folder

Say = Callable[[str], None]
ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".bench"


class BenchFailed(Exception):
    """A benchmark could not be run; the message says which step and why."""


@dataclass(frozen=True)
class BenchCluster:
    """A running cluster, and the way into it."""

    folder: Folder

    def run(self, module: str, *arguments: str) -> Any:
        """Run a module of ours inside, as root, and return the JSON it prints last."""
        python = ROOT / ".venv/bin/python"
        output = self.demo("run", str(python), "-m", module, *arguments)
        return json.loads(output.splitlines()[-1])

    def demo(self, *arguments: str) -> str:
        """Run ./demo on this cluster and return its output."""
        ran = subprocess.run(
            [str(ROOT / "demo"), *arguments],
            env=os.environ | {"KQI_DEMO_DIR": str(self.folder.path)},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            cwd=ROOT,
        )
        if ran.returncode != 0:
            raise BenchFailed(f"./demo {' '.join(arguments)} failed ({ran.returncode})")
        return ran.stdout


@contextmanager
def alone(work: Path = WORK) -> Iterator[None]:
    """Let no other benchmark of this folder run: it would end this one's cluster."""
    work.mkdir(exist_ok=True)
    with (work / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise BenchFailed(
                f"another benchmark runs (process {lock.read().strip()}): "
                "wait for its end, they would measure and end each other"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def bench_cluster(slurm_conf: str, say: Say) -> Iterator[BenchCluster]:
    """Start a cluster with additions to its slurm.conf, and leave nothing of it."""
    if os.geteuid() != 0:
        raise BenchFailed("the embedded cluster needs root: sudo ./bench …")
    folder = Folder(WORK / "stack")
    cluster = BenchCluster(folder)
    _remove(cluster)
    folder.create()
    (folder.local / "slurm.conf").write_text(slurm_conf)
    say("Starting a cluster")
    try:
        cluster.demo("up")
        # It polls Slurm too, and would be measured along with everything else.
        cluster.demo("service", "worker", "stop")
        yield cluster
    finally:
        say("Stopping the cluster")
        _remove(cluster)


def _remove(cluster: BenchCluster) -> None:
    path = cluster.folder.path
    if not path.exists():
        return
    if not cluster.folder.is_ours():
        raise BenchFailed(f"{path} holds other things: move them away")
    cluster.demo("stop")
    shutil.rmtree(path)
