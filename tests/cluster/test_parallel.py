"""Engines of IPython Parallel in Slurm: started, found from elsewhere, ended."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kqi_hub.domain.notebooks import Session
from tests.cluster.conda import have_environment
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
LIST = """
import subprocess
argv = ["kqi", "tensorboard", "--list", "--json"]
try:
    done = subprocess.run(argv, capture_output=True, text=True)
    print("FOUND", " ".join(done.stdout.split()), done.stderr)
except OSError as error:
    print("FOUND", error)
"""
WHO = """
import ipyparallel as ipp
with ipp.Client(profile="slurm", timeout=30) as rc:
    prefixes = set(rc[:].apply_sync(lambda: __import__("sys").prefix))
    print("FOUND", len(rc.ids), *prefixes)
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


def kqi(lab: NotebookLab, *words: str) -> str:
    """Return what the command prints on a machine with a token of hers."""
    token = lab.person.headers["Authorization"].split()[1]
    program = str(Path(sys.executable).with_name("kqi"))
    ran = subprocess.run(
        [program, *words],
        env={"KQI_SERVER": lab.url, "KQI_TOKEN": token, "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def notebook_of(lab: NotebookLab, session: Session) -> str:
    number = session.server.removeprefix("nb-")
    told = json.loads(kqi(lab, "notebook", "show", number, "--json"))
    return str(told["choices"]["name"])


def found(printed: str) -> str:
    lines = [line for line in printed.splitlines() if line.startswith("FOUND ")]
    assert lines, printed
    return lines[-1].removeprefix("FOUND ")


def engines_of(session: Session) -> list[str]:
    """Return the states of the session's jobs with engines, as slurmctld knows them."""
    name = f"--name=kqi-engines-{session.job_id}"
    return output("squeue", "-h", "-t", "all", "-o", "%T", name).split()


def live(session: Session) -> list[str]:
    return [one for one in engines_of(session) if one in {"PENDING", "RUNNING"}]


def test_engines_on_two_nodes_answer_a_notebook_in_another_job_and_stop(
    lab: NotebookLab,
) -> None:
    first, second = lab.ready(), lab.ready()
    one, two = kernel(lab, first), kernel(lab, second)
    nodes = found(one.run(START))
    assert nodes == "['cpu01', 'cpu01', 'cpu02', 'cpu02']"
    assert found(two.run(ANOTHER)) == f"[0, 1, 2, 3] {sum(x * x for x in range(100))}"
    assert engines_of(first) == ["RUNNING"]
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
    wait_for(lambda: not live(first), 30, f"they run on: {engines_of(first)}")
    assert not (key / "ipcontroller-client.json").exists()


def test_engines_end_with_the_notebook_that_started_them(lab: NotebookLab) -> None:
    session = lab.ready()
    found(kernel(lab, session).run(START))
    assert engines_of(session) == ["RUNNING"]
    lab.stop(session)
    lab.wait_ended(session)
    wait_for(lambda: not live(session), 15, f"they run on: {engines_of(session)}")


def test_engines_end_with_a_notebook_that_is_killed_at_once(lab: NotebookLab) -> None:
    session = lab.ready()
    found(kernel(lab, session).run(START))
    job = str(lab.now(session).job_id)
    output("scancel", "--signal=KILL", "--full", job)
    lab.wait_ended(session)
    # No one was left to cancel them: they miss their controller's heartbeat.
    wait_for(lambda: not live(session), 60, f"they run on: {engines_of(session)}")


ENVIRONMENT = SCRATCH / ".conda/envs/notebook"


def run_examples(engines: str) -> str:
    """Return code that copies the examples and runs each to its end, as people do."""
    return f"""
import os, subprocess, tempfile
from pathlib import Path
from conda_bootstrap.examples import copy
place = Path(tempfile.mkdtemp(dir=".", prefix="examples-"))
env = dict(os.environ, {engines}, MPLBACKEND="")
for file in copy(["iris_ex", "tfboard_ex", "ipy_ex"], place):
    done = subprocess.run(
        ["{ENVIRONMENT}/bin/jupyter", "nbconvert", "--to", "notebook", "--execute",
         "--inplace", str(file)], env=env, capture_output=True, text=True)
    problem = done.stderr[-400:] if done.returncode else ""
    print("FOUND", file.stem, done.returncode, problem)
print("FOUND", place.absolute())
"""


@pytest.fixture(scope="module")
def environment() -> Path:
    """Make alice's environment of the site's base, if she has none."""
    return have_environment(PERSON, "notebook")


def test_examples_run_in_a_persons_environment_with_engines_on_two_nodes(
    lab: NotebookLab, environment: Path
) -> None:
    session = lab.ready()
    engines = 'KQI_ENGINES_QUEUE="cpu", KQI_ENGINES_NODES="2"'
    patient = replace(kernel(lab, session), patience_s=300)
    said = patient.run(run_examples(engines))
    *codes, place = [
        line.removeprefix("FOUND ") for line in said.splitlines() if "FOUND" in line
    ]
    assert [one.strip() for one in codes] == ["iris_ex 0", "tfboard_ex 0", "ipy_ex 0"]
    cells = json.loads((Path(place) / "ipy_ex.ipynb").read_text())["cells"]
    printed = json.dumps(cells)
    assert "cpu01" in printed
    assert "cpu02" in printed
    assert "pi is about 3.14" in printed
    assert any((Path(place) / "logs").rglob("events.out.tfevents.*"))
    wait_for(lambda: not live(session), 30, f"they run on: {engines_of(session)}")
    assert environment.is_dir()


def test_engines_are_started_from_the_page_in_the_persons_own_python(
    lab: NotebookLab, environment: Path
) -> None:
    session = lab.ready()
    server = f"user/{PERSON}/{session.server}/"
    form = {"engines": "4", "nodes": "2", "queue": "cpu", "memory_mb": "300"}
    asked = lab.person.post(
        f"{server}kqi/clusters", data={**form, "kernel": "conda-notebook"}
    )
    assert asked.status_code == 303, asked.text

    def page() -> str:
        return lab.person.get(f"{server}kqi/clusters").text

    wait_for(lambda: "4 of 4" in page(), 90, "the engines do not come")
    told = found(kernel(lab, session).run(WHO))
    assert told == f"4 {environment}"
    stopped = lab.person.post(f"{server}kqi/clusters/stop", data={"name": ""})
    assert stopped.status_code == 303, stopped.text
    wait_for(lambda: not live(session), 30, f"they run on: {engines_of(session)}")


def test_tensorboard_runs_on_the_node_and_answers_through_the_hub(
    lab: NotebookLab,
) -> None:
    session = lab.ready()
    server = f"user/{PERSON}/{session.server}/"
    made = lab.person.post(f"{server}kqi/tensorboards", json={"logdir": ""})
    assert made.status_code == 201, made.text
    path = made.json()["path"]
    assert path.startswith(f"/{server}kqi/tensorboard/")
    answer = lab.person.get(path.lstrip("/"))
    assert answer.status_code == 200
    assert "TensorBoard" in answer.text
    assert isinstance(lab.person.get(path.lstrip("/") + "data/runs").json(), list)
    number = made.json()["number"]
    said = found(kernel(lab, session).run(LIST))
    assert "Errno" not in said, said
    listing = json.loads(said)
    assert [one["number"] for one in listing] == [number]
    printed = kqi(lab, "tensorboard", "", "--notebook", notebook_of(lab, session))
    assert printed.strip() == lab.url.rstrip("/") + path
    lab.stop(session)
    lab.wait_ended(session)
    left = output("ps", "axww", "-o", "args")
    assert "kqi_hub.session.tensorboard_process" not in left
