"""Trainings and inferences in every state, for mia of tenant `vision`."""

import time
from collections.abc import Sequence
from dataclasses import replace

from kqi_hub.domain.data import Placed
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.job import Job
from kqi_hub.domain.notebooks import Shape, Staging
from kqi_hub.domain.run_ports import Collected, NewRun, Told
from kqi_hub.domain.runs import (
    Parent,
    Run,
    RunChange,
    RunKind,
    RunSpec,
    RunState,
    Source,
)
from tests.browser.data_states import keep
from tests.fakes.queues import job, reading
from tests.fakes.runs import USE
from tests.fakes.site import FakeSite

HOUR = 3600
COMMIT = "4f2a9c" + "1" * 34
SCRIPT = """\
#!/bin/bash
#SBATCH --job-name=training-2-abcdefghijklmnopqrstuvwxyz
#SBATCH --partition=v100
#SBATCH --cpus-per-task=8

exec /opt/kqi/python -I -m kqi_hub.runner.run order.json
"""
SPEC = RunSpec(
    name="plain",
    tenant="vision",
    queue="cpu",
    command="python train.py --epochs 10",
    shape=Shape(4, 16_384),
    lifetime_s=8 * HOUR,
)
FULL = replace(
    SPEC,
    queue="v100",
    shape=Shape(40, 384_000, 4, "v100"),
    command='set -e\npython train.py --name "it\'s <b>$(hostname)</b>" --epochs 90',
    staging=Staging.COPY,
    environment="torch2",
    source=Source("https://git.example.org/vision/resnet.git", "main", COMMIT),
    variables=(("EPOCHS", "90"), ("MESSAGE", "多い <i>日本語</i>")),
    ports=(6006, 8080),
    memo="Ablation of the augmentation; compare with the baseline.\nSecond line.",
    tags=("2026-11", "ablation", "resnet-50"),
)
ENDS = (
    RunState.FAILED,
    RunState.TIMED_OUT,
    RunState.OUT_OF_MEMORY,
    RunState.KILLED,
    RunState.USER_CANCELED,
    RunState.NODE_FAILED,
    RunState.UNKNOWN,
)


class RunStates:
    """Runs of one person, and what Slurm says of their jobs."""

    def __init__(self, site: FakeSite, person: str = "mia") -> None:
        self.site = site
        self.person = person
        self.now = time.time()
        self.store = site.runs.store
        self.jobs: list[Job] = []

    def ask(self, kind: RunKind = RunKind.TRAINING, **about: object) -> Run:
        """Add a run that was asked for two hours ago."""
        prepared = bool(about.pop("is_prepared", False))
        owner = str(about.pop("owner", self.person))
        spec = replace(SPEC, **about)  # type: ignore[arg-type]  # the caller's names
        key = f"key{self.store.numbers + 1:023}"
        new = NewRun(kind, owner, key, spec, is_prepared=prepared)
        return self.store.ask(new, self.now - 2 * HOUR)

    def told(self, run: Run, state: RunState, after_s: float, **about: object) -> Run:
        """Let the portal have been told of a state, some time after the wish."""
        at = self.now - 2 * HOUR + after_s
        return self.store.told(run.id, Told(state, at, **about))  # type: ignore[arg-type]

    def wait(self, run: Run, reason: str = "Priority") -> Run:
        """Let it wait in the queue."""
        number = 51_000 + run.id
        about = {"reason": reason, "starts_at": int(self.now) + 1200}
        self._job(run, number, "PENDING", about)
        return self.told(run, RunState.PENDING, 2, job_id=number)

    def run(self, run: Run, after_s: float = 900) -> Run:
        """Let it run on a node."""
        began = self.now - 2 * HOUR + after_s
        about = {"starts_at": int(began), "ends_at": int(self.now) + 6 * HOUR}
        self.wait(run)
        self.jobs.pop()
        self._job(run, 51_000 + run.id, "RUNNING", {**about, "node_list": "v100-01"})
        self.store.keep_script(run.key, SCRIPT)
        return self.told(
            run, RunState.RUNNING, after_s, node="v100-01", began_at=began
        )  # fmt: skip

    def end(self, run: Run, state: RunState, value: str = "", **about: object) -> Run:
        """Let it end, with its results taken over."""
        self.run(run)
        self.jobs.pop()
        at = self.now - HOUR
        self.told(
            run, RunState.COLLECTING, HOUR, ended_at=at, outcome=state, **about
        )  # fmt: skip
        code = 0 if state is RunState.COMPLETED else 1
        found = Collected(state, value, 1234, 5_678_901, code, use=USE)
        return self.store.collected(run.id, found, at + 4)

    def shown(self) -> None:
        """Let Slurm's picture have the jobs."""
        picture = reading(self.now)
        whole = replace(picture, jobs=(*picture.jobs, *self.jobs))
        self.site.queues.store.save(whole, {})

    def _job(self, run: Run, number: int, state: str, about: dict[str, object]) -> None:
        found = job(
            number, run.owner, run.spec.queue, state, cpus=run.spec.shape.cpus, **about
        )
        self.jobs.append(replace(found, name=run.job_name))


def furnish_runs(site: FakeSite) -> RunStates:
    """Give mia a training in every state, inferences with values, and others' runs."""
    made = RunStates(site)
    site.runs.store.people |= {"mia": "宮本 美亜", "max": "Maximilian Mustermann " * 4}
    signs = keep(site, "street signs")
    entries = (Placed("training", signs.id),)
    site.data.datasets.create(
        NewDataset("vision", "signs 2026", "", False, entries), "mia", made.now
    )
    base = made.end(made.ask(name="baseline"), RunState.COMPLETED)
    parents = (Parent(RunKind.TRAINING, base.id),)
    about = {name: getattr(FULL, name) for name in FULL.__dataclass_fields__}
    about |= {"dataset": 1, "parents": parents}
    running = made.run(made.ask(**{**about, "name": "running"}))
    made.store.change(running.id, RunChange(is_favourite=True), made.now)
    full = made.end(made.ask(**{**about, "name": "completed"}), RunState.COMPLETED)
    made.wait(made.ask(name="waiting", queue="a100", memo="データの前処理"))
    made.ask(name="asked")
    made.ask(name="prepared", is_prepared=True)
    stopping = made.run(made.ask(name="x" * 30, memo="a long memo " * 60))
    made.store.stopping(stopping.id, RunState.USER_CANCELED, made.now)
    collecting = made.run(made.ask(name="collecting"))
    made.jobs.pop()
    made.told(collecting, RunState.COLLECTING, HOUR, ended_at=made.now - HOUR)
    for state in ENDS:
        detail = "OUT_OF_MEMORY" if state is RunState.OUT_OF_MEMORY else ""
        made.end(made.ask(name=state.value), state, detail=detail)
    refused = made.ask(name="refused")
    made.store.refused(
        refused.id, "sbatch: error: Batch job submission failed", made.now - HOUR
    )
    made.end(made.ask(name="of-max", owner="max", tags=("ablation",)), ENDS[0])
    values: Sequence[str] = ("0.9312", "0.871", "not a number " * 6, "")
    on_it = (Parent(RunKind.TRAINING, full.id),)
    for number, value in enumerate(values):
        asked = made.ask(
            RunKind.INFERENCE, name=f"value-{number}", parents=on_it, tags=("test-set",)
        )
        made.end(asked, RunState.COMPLETED, value)
    made.wait(made.ask(RunKind.INFERENCE, name="infer-waiting"))
    made.shown()
    return made


def run_number(site: FakeSite, name: str) -> int:
    """Return the number of a run by its name."""
    return next(one.id for one in site.runs.store.runs.values() if one.name == name)
