"""Engines by the profile `slurm`: the real IPython Parallel, and Slurm as programs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conda_bootstrap.ipython_profile import Facts, install_profile
from tests.fakes.local_slurm import LocalSlurm
from tests.fakes.session_hub import until

START = """
import json, os, sys, time
import ipyparallel as ipp
cluster = ipp.Cluster(profile="slurm", n=2, cluster_id="", log_level=30)
client = cluster.start_and_connect_sync()
view = client[:]
said = view.apply_sync(lambda: (__import__("os").getpid(), 6 * 7))
engine = cluster.engine_set
file = os.path.join(cluster.profile_dir, "security", "ipcontroller-client.json")
info = json.load(open(file))
print(json.dumps({
    "ids": client.ids,
    "answers": [one[1] for one in said],
    "pids": [one[0] for one in said],
    "file_mode": os.stat(file).st_mode & 0o777,
    "interface": info["interface"],
    "has_key": bool(info["key"]),
    "curve": bool(info.get("curve_serverkey")),
    "controller": cluster.controller.pid,
}), flush=True)
"""
ANOTHER = """
import ipyparallel as ipp
with ipp.Client(profile="slurm", timeout=20) as client:
    print(sum(client[:].apply_sync(lambda: 21)), flush=True)
"""


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[LocalSlurm]:
    made = LocalSlurm(tmp_path / "slurm")
    yield made
    made.end()


@pytest.fixture
def person(tmp_path: Path, slurm: LocalSlurm) -> dict[str, str]:
    """Return the surroundings of a person's kernel."""
    install_profile(tmp_path / "ipython", Facts(tmp_path / "log %j {x}"))
    return {
        "PATH": f"{slurm.bin}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "KQI_NODE_ADDRESS": "127.0.0.1",
        "SLURM_JOB_ID": "99",
        "SLURM_JOB_PARTITION": "cpu",
        "SLURM_JOB_ACCOUNT": "vision",
        "SLURM_MEM_PER_NODE": "512",
        "SLURM_NTASKS": "7",
        "SLURM_CONF": "/etc/slurm/slurm.conf",
        "SLURM_JOB_END_TIME": str(int(time.time() + 1800)),
        "JUPYTERHUB_API_TOKEN": "the-secret-token",
    }


def python(code: str, surroundings: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=surroundings,
        cwd=surroundings["HOME"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_engines_answer_and_another_notebook_finds_them_and_both_end(
    slurm: LocalSlurm, person: dict[str, str], tmp_path: Path
) -> None:
    end = "sys.stdin.readline()\ncluster.stop_cluster_sync()\n"
    with python(START + end, person) as notebook:
        assert notebook.stdout is not None
        lines: list[str] = []
        for line in notebook.stdout:
            lines.append(line)
            if line.startswith("{"):
                break
        assert lines, "it says nothing"
        told = json.loads(lines[-1])
        assert told["ids"] == [0, 1]
        assert told["answers"] == [42, 42]
        assert told["interface"] == "tcp://127.0.0.1"
        assert (told["has_key"], told["curve"], told["file_mode"]) == (
            True,
            True,
            0o600,
        )
        with python(ANOTHER, person) as other:
            out, _ = other.communicate(timeout=60)
        assert "42" in out.split()
        assert slurm.runs()
        notebook.communicate("\n", timeout=60)
        assert notebook.returncode == 0
    until(lambda: not slurm.runs())
    assert slurm.said("cancelled").strip() == "--quiet 4711"
    assert not list((tmp_path / "ipython/profile_slurm/pid").glob("*.sbatch"))
    # Nothing is left where the person works.
    assert not list(tmp_path.glob("*.sbatch"))


def test_job_is_asked_for_as_the_notebooks_person_and_no_secret_travels(
    slurm: LocalSlurm, person: dict[str, str], tmp_path: Path
) -> None:
    (slurm.top / "refuses").touch()
    chosen = {"KQI_ENGINES_NODES": "3", "KQI_ENGINES_QUEUE": "v100"}
    ran = python(submit(7), person | chosen)
    out, _ = ran.communicate(timeout=60)
    assert "invalid partition" in out
    assert slurm.options() == {
        "job-name": "kqi-engines-99",
        "partition": "v100",
        "account": "vision",
        "nodes": "3",
        "ntasks": "7",
        "ntasks-per-node": "3",
        "cpus-per-task": "1",
        "mem-per-cpu": "1024M",
        "time": "30",
        "no-requeue": "",
        "export": "ALL",
    }
    arguments = slurm.said("arguments").splitlines()
    assert arguments[:2] == [
        "--parsable",
        f"--output={tmp_path}/log %%j {{x}}/%j.log",
    ]
    names = {line.partition("=")[0] for line in slurm.said("environment").splitlines()}
    assert "IPP_CONNECTION_INFO" not in slurm.said("script")
    assert not {"SLURM_MEM_PER_NODE", "SLURM_NTASKS", "JUPYTERHUB_API_TOKEN"} & names
    assert names >= {"SLURM_CONF", "IPYTHONDIR"}


def submit(engines: int) -> str:
    return f"""
import ipyparallel as ipp
cluster = ipp.Cluster(profile="slurm", n={engines}, log_level=30)
cluster.start_engines_sync()
"""


@pytest.mark.parametrize("engines", [1, 2])
def test_no_more_nodes_than_engines(
    slurm: LocalSlurm, person: dict[str, str], engines: int
) -> None:
    (slurm.top / "refuses").touch()
    ran = python(submit(engines), person | {"KQI_ENGINES_NODES": "8"})
    ran.communicate(timeout=60)
    options = slurm.options()
    assert (options["nodes"], options["ntasks-per-node"]) == (str(engines), "1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KQI_ENGINES_QUEUE", "cpu\n#SBATCH --uid=0"),
        ("KQI_ENGINES_QUEUE", "$(id)"),
        ("KQI_ENGINES_QUEUE", "-p"),
        ("KQI_ENGINES_QUEUE", "cpu{n}"),
        ("KQI_ENGINES_QUEUE", "큐"),
        ("KQI_ENGINES_TENANT", "a;b"),
        ("KQI_ENGINES_TENANT", "a" * 65),
        ("KQI_ENGINES_NODES", "0"),
        ("KQI_ENGINES_NODES", "two"),
        ("KQI_ENGINES_NODES", "\uff11"),
        ("KQI_ENGINES_NODES", "9999999999"),
        ("KQI_ENGINES_MINUTES", "-1"),
        ("KQI_ENGINES_MEMORY_MB", "1G"),
    ],
)
def test_value_that_slurm_would_not_take_is_refused_with_its_name(
    slurm: LocalSlurm, person: dict[str, str], name: str, value: str
) -> None:
    ran = python(submit(1), person | {name: value})
    out, _ = ran.communicate(timeout=60)
    assert ran.returncode != 0
    assert f"{name} is " in out
    assert slurm.said("script") == ""


def test_notebooks_job_that_is_killed_takes_its_engines_with_it(
    slurm: LocalSlurm, person: dict[str, str]
) -> None:
    profile = Path(person["IPYTHONDIR"]) / "profile_slurm"
    # Faster than for people: a miss is noticed after as many beats.
    for name, line in (
        ("ipcontroller", "c.HeartMonitor.period = 300"),
        ("ipengine", "c.IPEngine.max_heartbeat_misses = 4"),
    ):
        with (profile / f"{name}_config.py").open("a") as stream:
            stream.write(f"{line}\n")
    # As Slurm does: the controller with all that it has started.
    kill = "import os, signal\nos.killpg(cluster.controller.pid, signal.SIGKILL)\n"
    kill += "os._exit(0)\n"
    with python(START + kill, person) as notebook:
        out, _ = notebook.communicate(timeout=60)
    assert '"ids": [0, 1]' in out
    until(lambda: not slurm.runs(), 30)
    assert slurm.said("cancelled") == ""
