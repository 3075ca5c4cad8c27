"""A run's script given to the real Slurm by hand: mounts, signals, arrays, shells."""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from kqi_hub.bootstrap.runs import run_place
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.runs import Run, RunKind, RunSpec, RunState
from kqi_hub.runas.client import SudoDoor
from kqi_hub.settings.loader import load_settings
from kqi_hub.slurm.run_order import RunNeeds, RunTask, run_order
from kqi_hub.slurm.run_script import (
    RunPlace,
    output_folder,
    run_folder,
    run_script,
)
from tests.cluster.slurm_jobs import scancel, squeue, wait_for_end
from tests.cluster.slurm_lab import DOOR
from tests.cluster.stack import Ran, run_as, wait_until

WHO = "alice"
SPEC = RunSpec("by-hand", "vision", "cpu", "true", Shape(1, 256), lifetime_s=600)


@dataclass
class ByHand:
    """Scripts of runs that the portal knows nothing of."""

    place: RunPlace
    jobs: list[int] = field(default_factory=list)

    def run(self, command: str, **chosen: Any) -> Run:
        """Return a run with a number that no portal has reached."""
        number = 10**9 + secrets.randbelow(10**9)
        spec = replace(SPEC, command=command, zip=False, **chosen)
        return Run(
            number, RunKind.TRAINING, WHO, "a" * 26, spec, RunState.PREPARED, 1, 1,
            folder=f"training/{number}",
        )  # fmt: skip

    def submit(self, run: Run, needs: RunNeeds | None = None) -> int:
        """Put the order where the door puts it, and the script into sbatch."""
        needs = needs or RunNeeds()
        order = {"name": run.job_name, "text": run_order(run, self.place, needs)}
        for verb, about in (("make-scratch", {}), ("put-secret", order)):
            answer = asyncio.run(SudoDoor(DOOR).run(verb, WHO, about))
            assert answer.exit_code == 0, answer.stderr
        script = run_script(run, self.place, len(needs.tasks))
        sent = run_as(
            WHO, "sbatch", "--parsable", f"--chdir={script.chdir}", input=script.text
        )
        assert sent.returncode == 0, sent.stderr
        job = int(sent.stdout.split(";")[0])
        self.jobs.append(job)
        return job

    def told(self, run: Run, name: str = "result.json") -> dict[str, Any]:
        """Return what the runner has written, once it is there."""
        file = Path(run_folder(run, self.place)) / name
        wait_until(file.exists, 90, lambda: self.log(self.jobs[-1]))
        found: dict[str, Any] = json.loads(file.read_text())
        return found

    def log(self, job: int | str) -> str:
        file = Path(self.place.scratch_root) / WHO / "log" / f"{job}.log"
        return file.read_text(errors="replace") if file.exists() else "no log"

    def wait_for(self, run: Run, name: str) -> Path:
        """Return a result once the command has written it."""
        file = Path(output_folder(run, self.place)) / name
        wait_until(file.exists, 60, lambda: self.log(self.jobs[-1]))
        return file


@pytest.fixture
def by_hand() -> Iterator[ByHand]:
    made = ByHand(run_place(load_settings(Path("/etc/kqi/kqi.toml"))))
    yield made
    if made.jobs:
        scancel(*made.jobs)


def test_a_command_has_its_own_kqi_and_reads_its_parent_only(by_hand: ByHand) -> None:
    parent = by_hand.run("echo weights > /kqi/output/w; mkdir /kqi/output/sub")
    by_hand.submit(parent)
    assert by_hand.told(parent)["mounts"] == "bwrap"
    w = f"{output_folder(parent, by_hand.place)}/w"
    child = by_hand.run(f"cat /kqi/parent/w; ! touch /kqi/parent/x; ! rm {w}; id -un")
    job = by_hand.submit(child, RunNeeds(parents=(parent,)))
    assert by_hand.told(child)["exit_code"] == 0, by_hand.log(job)
    log = by_hand.log(job)
    assert "\nweights\n" in log
    assert log.count("Read-only file system") == 2
    assert f"\n{WHO}\n" in log
    assert wait_for_end(job) == "COMPLETED"


SAVES = (
    "trap 'echo term >> $KQI_OUTPUT/saved; sleep 2; echo done >> $KQI_OUTPUT/saved; "
    "exit 5' TERM\ntrap 'echo warned >> $KQI_OUTPUT/saved' USR1\n"
    "touch $KQI_OUTPUT/ready\nwhile :; do sleep 0.1; done"
)


def test_scancel_lets_the_command_save_its_work_once(by_hand: ByHand) -> None:
    run = by_hand.run(SAVES)
    job = by_hand.submit(run)
    by_hand.wait_for(run, "ready")
    run_as(WHO, "scancel", str(job))
    result = by_hand.told(run)
    saved = by_hand.wait_for(run, "saved").read_text()
    assert saved == "term\ndone\n", by_hand.log(job)
    assert (result["exit_code"], result["why"]) == (5, "it was told to stop")


def test_the_warning_comes_before_the_limit_and_then_the_end(by_hand: ByHand) -> None:
    by_hand.place = replace(by_hand.place, end_warn_s=30)
    run = by_hand.run(SAVES, lifetime_s=120)
    job = by_hand.submit(run)
    wait_until(lambda: squeue(job, "%T") in {"TIMEOUT", ""}, 300)
    assert by_hand.told(run)["exit_code"] == 5
    saved = by_hand.wait_for(run, "saved").read_text()
    assert saved == "warned\nterm\ndone\n", by_hand.log(job)


def test_each_task_of_an_array_has_its_own_item(by_hand: ByHand) -> None:
    first = by_hand.run("cat /kqi/input/$DATA_ID/a; echo $DATA_NAME > /kqi/output/name")
    first = replace(
        first, kind=RunKind.PREPROCESSING, batch=first.id, task=0,
        folder=f"preprocessing/{first.id}",
    )  # fmt: skip
    runs = [
        replace(first, id=first.id + n, task=n, data=n,
                folder=f"preprocessing/{first.id + n}")
        for n in range(3)
    ]  # fmt: skip
    tasks = []
    for run in runs:
        data = Path(by_hand.place.scratch_root) / WHO / f"data-{run.id}"
        run_as(WHO, "mkdir", str(data))
        run_as(WHO, "tee", str(data / "a"), input=f"item {run.task}\n")
        tasks.append(RunTask(run, f"n{run.task}", str(data)))
    job = by_hand.submit(runs[0], RunNeeds(tasks=tuple(tasks)))
    for run in runs:
        assert by_hand.told(run)["exit_code"] == 0, by_hand.log(f"{job}_{run.task}")
        assert f"item {run.task}\n" in by_hand.log(f"{job}_{run.task}")
        name = by_hand.wait_for(run, "name").read_text()
        assert name == f"n{run.task}\n"


def test_a_step_beside_the_command_sees_its_folders(by_hand: ByHand) -> None:
    run = by_hand.run("echo 1 > /kqi/output/ready; sleep 120")
    job = by_hand.submit(run)
    by_hand.wait_for(run, "ready")
    folder = run_folder(run, by_hand.place)

    def beside() -> Ran:
        return run_as(
            WHO, "srun", "--overlap", f"--jobid={job}", "--chdir=/",
            by_hand.place.python, "-I", "-X", "utf8", "-m", "kqi_hub.runner.inside",
            folder, "bash", "-c", "pwd; ls /kqi/output; echo $TRAINING_ID",
        )  # fmt: skip

    ran = beside()
    assert ran.stdout == f"/kqi/git\nready\n{run.id}\n", ran.stderr


def test_the_log_of_a_command_grows_while_it_runs(by_hand: ByHand) -> None:
    run = by_hand.run("(echo early; sleep 60) | tr x y")
    job = by_hand.submit(run)
    begun = time.monotonic()
    wait_until(lambda: "\nearly\n" in by_hand.log(job), 50)
    assert time.monotonic() - begun < 50
