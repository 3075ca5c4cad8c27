"""Engines of IPython Parallel in Slurm: started, found from elsewhere, ended."""

import json
from collections.abc import Iterator

import pytest

from kqi_hub.domain.notebooks import Session
from tests.cluster.notebook_lab import (
    PERSON,
    SCRATCH,
    NotebookLab,
    notebook_lab,
    output,
    wait_for,
)
from tests.cluster.notebook_person import Kernel
from tests.cluster.stack import Stack

START = """
import os
os.environ.update(KQI_ENGINES_QUEUE="cpu", KQI_ENGINES_NODES="2",
                  KQI_ENGINES_MEMORY_MB="300")
import ipyparallel as ipp
cluster = ipp.Cluster(profile="slurm", n=4, cluster_id="", log_level=40)
client = cluster.start_and_connect_sync()
where = client[:].apply_sync(lambda: __import__("os").environ["SLURMD_NODENAME"])
print("FOUND", sorted(where))
"""
ANOTHER = """
import ipyparallel as ipp
other = ipp.Client(profile="slurm", timeout=30)
print("FOUND", other.ids, sum(other[:].map_sync(lambda x: x * x, range(100))))
other.close()
"""
STOP = """
client.close()
cluster.stop_cluster_sync()
print("FOUND stopped")
"""


@pytest.fixture
def lab(stack: Stack) -> Iterator[NotebookLab]:
    with notebook_lab(stack) as made:
        yield made


def kernel(lab: NotebookLab, session: Session) -> Kernel:
    place = f"user/{PERSON}/{session.server}/api/kernels"
    made = lab.person.post(place, json={})
    assert made.status_code == 201, made.text
    token = lab.person.headers["Authorization"].split()[1]
    url = lab.url.replace("http", "ws", 1)
    return Kernel(f"{url}{place}/{made.json()['id']}/channels", token, 120)


def found(printed: str) -> str:
    lines = [line for line in printed.splitlines() if line.startswith("FOUND ")]
    assert lines, printed
    return lines[-1].removeprefix("FOUND ")


def engines(session: Session) -> list[str]:
    """Return the states of the session's jobs with engines, as slurmctld knows them."""
    name = f"--name=kqi-engines-{session.job_id}"
    return output("squeue", "-h", "-t", "all", "-o", "%T", name).split()


def live(session: Session) -> list[str]:
    return [one for one in engines(session) if one in {"PENDING", "RUNNING"}]


def test_engines_on_two_nodes_answer_a_notebook_in_another_job_and_stop(
    lab: NotebookLab,
) -> None:
    first, second = lab.ready(), lab.ready()
    one, two = kernel(lab, first), kernel(lab, second)
    nodes = found(one.run(START))
    assert nodes == "['cpu01', 'cpu01', 'cpu02', 'cpu02']"
    assert found(two.run(ANOTHER)) == f"[0, 1, 2, 3] {sum(x * x for x in range(100))}"
    assert engines(first) == ["RUNNING"]
    [job] = output(
        *("squeue", "-h", "-o", "%i", f"--name=kqi-engines-{first.job_id}")
    ).split()
    told = output("scontrol", "show", "job", "-dd", job)
    assert "Account=vision" in told
    key = SCRATCH / "kqi/jupyter/ipython/profile_slurm/security"
    connection = json.loads((key / "ipcontroller-client.json").read_text())
    for secret in (connection["key"], connection["curve_serverkey"]):
        assert secret not in told
        assert secret not in output("scontrol", "write", "batch_script", job, "-")
        assert secret not in output("ps", "axww", "-o", "args")
    assert found(one.run(STOP)) == "stopped"
    wait_for(lambda: not live(first), 30, f"they run on: {engines(first)}")
    assert not (key / "ipcontroller-client.json").exists()


def test_engines_end_with_the_notebook_that_started_them(lab: NotebookLab) -> None:
    session = lab.ready()
    found(kernel(lab, session).run(START))
    assert engines(session) == ["RUNNING"]
    lab.stop(session)
    lab.wait_ended(session)
    wait_for(lambda: not live(session), 15, f"they run on: {engines(session)}")


def test_engines_end_with_a_notebook_that_is_killed_at_once(lab: NotebookLab) -> None:
    session = lab.ready()
    found(kernel(lab, session).run(START))
    job = str(lab.now(session).job_id)
    output("scancel", "--signal=KILL", "--full", job)
    lab.wait_ended(session)
    # No one was left to cancel them: they miss their controller's heartbeat.
    wait_for(lambda: not live(session), 60, f"they run on: {engines(session)}")
