"""TensorBoards of runs: a real TensorBoard on its socket; Slurm's programs stand in."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kqi_hub.agent.inside import slurm_jobs
from tests.adapters.agent.conftest import Lab
from tests.adapters.agent.stand_in_jobs import FakeSrun

WAY = "api/runs/training/12/tensorboard"


@pytest.fixture
def srun(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> FakeSrun:
    monkeypatch.setattr(slurm_jobs, "_SOON_S", 0.0)
    found = FakeSrun(lab.slurm.folder, lab.folder)
    found.training(12, "40")
    found.training(11, "39")
    return found


class Cluster:
    """Starts the job's script when the test says so: it is sbatch's other half."""

    def __init__(self, lab: Lab, srun: FakeSrun) -> None:
        self.lab, self.srun = lab, srun
        self.process: subprocess.Popen[bytes] | None = None

    def waits(self) -> None:
        self._known("PENDING")

    def runs(self) -> None:
        self._known("RUNNING")
        script = self.lab.slurm.script()
        (self.lab.folder / "script.sh").write_text(script)
        log = (self.lab.folder / "kqi/tensorboards/training-12/log").open("wb")
        with log:
            self.process = subprocess.Popen(
                ["bash", str(self.lab.folder / "script.sh")], stdout=log, stderr=log,
                env={**os.environ, "SLURM_JOB_ID": "101"}, start_new_session=True,
            )  # fmt: skip

    def ends(self) -> None:
        self.srun.ends("101")
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(15)
            self.process = None

    def _known(self, state: str) -> None:
        asked = json.loads(
            (self.lab.folder / "kqi/tensorboards/training-12/asked.json").read_text()
        )
        self.srun.runs("101", asked["job_name"], state, "2:59:59")


@pytest.fixture
async def cluster(lab: Lab, srun: FakeSrun) -> AsyncIterator[Cluster]:
    found = Cluster(lab, srun)
    yield found
    found.ends()


def sockets() -> set[Path]:
    """Return the folders of sockets that TensorBoards have not cleared away."""
    return set(Path("/tmp").glob("kqi-tensorboard-*"))


def is_shell(script: str) -> bool:
    ran = subprocess.run(["bash", "-n"], input=script.encode(), check=False)
    return ran.returncode == 0


async def seen(lab: Lab) -> dict[str, Any]:
    answer = await lab.get(WAY)
    assert answer.code == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def started(lab: Lab, **wish: object) -> dict[str, Any]:
    answer = await lab.send(WAY, wish)
    assert answer.code == 202, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def test_there_is_none_at_first(lab: Lab, srun: FakeSrun) -> None:
    assert await seen(lab) == {"state": "none"}
    assert lab.slurm.calls("sbatch") == srun.calls("squeue") == []


async def test_it_goes_from_the_queue_to_a_page_and_to_its_end(
    lab: Lab, srun: FakeSrun, cluster: Cluster
) -> None:
    before = sockets()
    output = lab.folder / "kqi/training/12/output"
    (output / "notes.txt").write_text("x")
    await started(lab, hours=3, queue="cpu", tenant="physics")
    cluster.waits()
    assert (await seen(lab))["state"] == "waiting"
    cluster.runs()
    for _ in range(200):
        if (found := await seen(lab))["state"] == "running":
            break
        assert found["state"] == "starting"
        await asyncio.sleep(0.2)
    assert found["path"] == "tensorboard/training-12/"
    assert 10_000 < found["ends_in_s"] <= 3 * 3600
    page = await lab.get(found["path"])
    assert page.code == 200
    assert b"<title>TensorBoard</title>" in page.body
    about = json.loads((await lab.get(f"{found['path']}data/environment")).body)
    links = lab.folder / "kqi/tensorboards/training-12/runs"
    assert about["data_location"] == str(links)
    assert (links / "training-12").resolve() == output
    cluster.ends()
    await asyncio.sleep(0.2)
    lab.agent.inside.jobs.forget("101")
    assert (await seen(lab))["state"] == "failed"  # before its time, by nobody's wish
    assert not sockets() - before


async def test_its_script_is_one_cpu_for_the_hours_and_nothing_odd(
    lab: Lab, srun: FakeSrun
) -> None:
    await started(lab, hours=5, queue="cpu", tenant="physics")
    script = lab.slurm.script()
    for line in ("--cpus-per-task=1", "--time=300", "--partition=cpu",
                 "--account=physics", "--no-requeue"):  # fmt: skip
        assert f"#SBATCH {line}\n" in script
    name = next(one for one in script.splitlines() if "--job-name=" in one)
    assert name.split("=")[1].startswith("tensorboard-12-")
    assert is_shell(script)


async def test_a_second_start_finds_the_first(
    lab: Lab, srun: FakeSrun, cluster: Cluster
) -> None:
    await started(lab)
    cluster.waits()
    assert (await started(lab, hours=9))["hours"] == 3
    both = await asyncio.gather(started(lab), started(lab))
    assert {one["job"] for one in both} == {101}
    assert len(lab.slurm.calls("sbatch")) == 1


async def test_other_runs_are_shown_beside_it(lab: Lab, srun: FakeSrun) -> None:
    await started(lab, **{"with": ["training/11", "training/12"]})
    links = lab.folder / "kqi/tensorboards/training-12/runs"
    assert sorted(one.name for one in links.iterdir()) == ["training-11", "training-12"]


async def test_a_stopped_one_has_ended_and_can_be_started_again(
    lab: Lab, srun: FakeSrun, cluster: Cluster
) -> None:
    await started(lab)
    cluster.waits()
    cluster._known("RUNNING")  # it may take Slurm a moment
    answer = await lab.get(WAY, method="DELETE")
    assert json.loads(answer.body)["state"] == "ended"
    assert lab.slurm.calls("scancel") == ["101"]
    await started(lab)
    assert len(lab.slurm.calls("sbatch")) == 2


async def test_an_answer_of_slurms_that_is_lost_makes_no_second_job(
    lab: Lab, srun: FakeSrun, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kqi_hub.agent.submitting.TIMEOUT_S", 0.5)
    lab.slurm.does("lost")
    assert (await lab.send(WAY, {})).code == 503
    lab.slurm.does("well")
    (srun.folder / "named").write_text("101\n")
    cluster.waits()
    assert (await seen(lab))["state"] == "waiting"
    assert (await started(lab))["job"] == 101
    assert len(lab.slurm.calls("sbatch")) == 1


async def test_a_silence_is_said_and_the_next_start_uses_the_same_name(
    lab: Lab, srun: FakeSrun
) -> None:
    lab.slurm.does("silent")
    assert (await lab.send(WAY, {})).code == 503
    asked = lab.folder / "kqi/tensorboards/training-12/asked.json"
    name = json.loads(asked.read_text())["job_name"]
    lab.slurm.does("well")
    assert (await started(lab))["job"] == 101
    assert f"--job-name={name}\n" in lab.slurm.script()


async def test_what_slurm_refuses_is_said_and_can_be_asked_for_again(
    lab: Lab, srun: FakeSrun
) -> None:
    lab.slurm.does("refuses", "invalid partition specified")
    answer = await lab.send(WAY, {"queue": "nowhere"})
    assert answer.code == 400
    assert "invalid partition" in json.loads(answer.body)["message"]
    assert (await seen(lab))["state"] == "failed"
    lab.slurm.does("well")
    assert (await started(lab))["job"] == 101


async def test_what_it_said_before_it_failed_is_shown(
    lab: Lab, srun: FakeSrun, cluster: Cluster
) -> None:
    await started(lab)
    log = lab.folder / "kqi/tensorboards/training-12/log"
    log.write_text("ModuleNotFoundError: no tensorboard\n")
    assert (await seen(lab))["said"] == "ModuleNotFoundError: no tensorboard"


@pytest.mark.parametrize(
    "body",
    [b"x", b"[]", {"with": ["training/1."]}, {"hours": 0}, {"hours": 25},
     {"hours": "3"}, {"hours": True},
     {"queue": "a\n#SBATCH --x"}, {"queue": "$(id)"}, {"queue": ["cpu"]},
     {"tenant": "-x"}, {"tenant": "a b"}, {"with": "training/1"}, {"with": ["../1"]},
     {"with": ["training/1/../../x"]}, {"with": [7]}, {"with": ["training/1"] * 21},
     {"job": 1}],
)  # fmt: skip
async def test_hostile_wishes_submit_nothing(
    lab: Lab, srun: FakeSrun, body: object
) -> None:
    answer = await lab.send(WAY, body)
    assert (answer.code, json.loads(answer.body)["error"]) == (400, "invalid-input")
    assert lab.slurm.calls("sbatch") == []


@pytest.mark.parametrize(
    "path",
    ["api/runs/training/0/tensorboard", "api/runs/secrets/1/tensorboard",
     "api/runs/training/1%2F..%2F2/tensorboard", "api/runs/training/12x/state",
     "api/runs/training/7..8/state",
     "tensorboard/training-x/", "tensorboard/secrets-1/", "tensorboard/training-99/"],
)  # fmt: skip
async def test_hostile_addresses_are_no_run(
    lab: Lab, srun: FakeSrun, path: str
) -> None:
    assert (await lab.get(path)).code == 404


async def test_a_cookie_starts_and_stops_nothing(lab: Lab, srun: FakeSrun) -> None:
    cookie = {"Cookie": f"kqi-agent={lab.agent.logins.keep('alices')}"}
    for method in ("POST", "DELETE"):
        answer = await lab.get(
            WAY, None, method=method, headers=cookie, allow_nonstandard_methods=True
        )
        assert answer.code == 403
    assert lab.slurm.calls("sbatch") == []


async def test_a_place_that_another_job_has_noted_is_not_connected_to(
    lab: Lab, srun: FakeSrun, cluster: Cluster
) -> None:
    await started(lab)
    cluster._known("RUNNING")
    place = lab.folder / "kqi/tensorboards/training-12/place.json"
    odd: list[object] = [{"job": 7, "socket": "/tmp/x"}, {"job": 101, "socket": 5}, []]
    for said in odd:
        place.write_text(json.dumps(said))
        assert (await seen(lab))["state"] == "starting"


@pytest.mark.parametrize("kind", ["inference", "preprocessing"])
async def test_only_a_training_has_one(lab: Lab, kind: str) -> None:
    (lab.folder / "kqi" / kind / "7" / "output").mkdir(parents=True)
    way = f"api/runs/{kind}/7/tensorboard"
    answer = await lab.get(way, method="POST", body="{}")
    assert answer.code == 409
    assert "Only trainings have a TensorBoard" in answer.body.decode()
    assert lab.slurm.calls("sbatch") == []


@pytest.mark.parametrize("kind", ["training", "inference", "preprocessing"])
@pytest.mark.parametrize("name", ["7", "7.4711"])
async def test_a_runs_state_is_what_its_folder_says(
    lab: Lab, kind: str, name: str
) -> None:
    way = f"api/runs/{kind}/{name}/state"
    empty = json.loads((await lab.get(way)).body)
    assert (empty["state"], empty["result"], empty["ports"]) == (None, None, [])
    folder = lab.folder / "kqi" / kind / name
    folder.mkdir(parents=True)
    (folder / "state.json").write_text('{"version": 1, "phase": "running"}')
    (folder / "result.json").write_text("[1]")
    (folder / "order.json").write_text('{"run": {"ports": [8080, "x"]}}')
    said = json.loads((await lab.get(way)).body)
    assert said == {
        "kind": kind, "id": name, "folder": str(folder), "ports": [8080],
        "state": {"version": 1, "phase": "running"}, "result": None,
    }  # fmt: skip


async def test_a_state_behind_a_link_is_not_read(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{}")
    (lab.folder / "kqi/training").mkdir()
    (lab.folder / "kqi/training/7").symlink_to(tmp_path)
    assert (await lab.get("api/runs/training/7/state")).code == 403
