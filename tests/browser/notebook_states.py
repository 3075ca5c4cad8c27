"""Notebooks in every state that they have, for mia of tenant `vision`."""

import time
from collections.abc import Sequence
from dataclasses import replace

from kqi_hub.domain.job import Job
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import (
    Cause,
    Choices,
    Notebook,
    Phase,
    Repository,
    Session,
    Shape,
    Ui,
)
from tests.fakes.queues import job, reading
from tests.fakes.site import FakeSite

HOUR = 3600
PHASES = (Phase.QUEUED, Phase.NODE, Phase.ENVIRONMENT, Phase.SERVER, Phase.READY)
WHOLE_NODE = Shape(40, 384_000, 4, "v100")
LONG = "x" * 30
CHOICES = Choices("plain", "vision", "jupyter", Shape(2, 8192))


class Furnished:
    """Notebooks of one person, and what Slurm says of their jobs."""

    def __init__(self, site: FakeSite, person: str = "mia") -> None:
        self.site = site
        self.person = person
        self.now = time.time()
        self.jobs: list[Job] = []
        self.store = site.notebooks.store
        self.sessions = site.notebooks.sessions

    def keep(self, **about: object) -> Notebook:
        """Add a notebook that has never run."""
        choices = replace(CHOICES, **about)  # type: ignore[arg-type]  # the caller's
        return self.store.create(self.person, choices, self.now - 9 * HOUR)

    def start(
        self, notebook: Notebook, phases: Sequence[Phase], **about: object
    ) -> Session:
        """Let it have a session that has come so far."""
        began = self.now - HOUR
        live = self.sessions.ask(
            notebook.id, notebook.choices, f"key{notebook.id}", began
        )
        number = 48_000 + notebook.id
        if phases:
            self.sessions.submitted(live.id, number, began + 1)
            self.jobs.append(self._job(live, number, phases, about))
        for step, phase in enumerate(phases):
            self.sessions.reached(live.id, phase, began + 1 + 7 * step)
        if Phase.NODE in phases:
            self.sessions.placed(live.id, "v100-01", 40_000, began + 9)
        return self.store.all_sessions[live.id]

    def end(self, session: Session, cause: Cause, **about: object) -> None:
        """End a session; its job is gone from the picture."""
        end = SessionEnd(self.now - 60, cause, **about)  # type: ignore[arg-type]  # as above
        self.sessions.ended(session.id, end)
        self.jobs = [one for one in self.jobs if one.job_id != session.job_id]

    def shown(self) -> None:
        """Let Slurm's picture have the jobs."""
        picture = reading(self.now)
        whole = replace(picture, jobs=(*picture.jobs, *self.jobs))
        self.site.queues.store.save(whole, {})

    def _job(
        self,
        live: Session,
        number: int,
        phases: Sequence[Phase],
        about: dict[str, object],
    ) -> Job:
        runs = Phase.NODE in phases
        times = {"starts_at": int(live.asked_at), "ends_at": int(self.now) + 2 * HOUR}
        waits = {"reason": "Priority", "starts_at": int(self.now) + 1200}
        found = job(
            number,
            self.person,
            live.chosen.queue,
            "RUNNING" if runs else "PENDING",
            cpus=live.chosen.shape.cpus,
            node_list="v100-01" if runs else "",
            **(times if runs else waits),
        )
        return replace(found, name=live.job_name, **about)  # type: ignore[arg-type]


def furnish(site: FakeSite) -> Furnished:
    """Give mia a notebook in every state; the names say which."""
    made = Furnished(site)
    never = made.keep(name="never-started")
    running = made.keep(
        name="running",
        queue="v100",
        shape=WHOLE_NODE,
        memo="Ablation of the augmentation; compare with run 12.",
        repository=Repository("https://git.example.org/vision/resnet.git", "main"),
        variables=(("EPOCHS", "10"), ("DATA", "/scratch/mia/data")),
        command="pip list",
        ui=Ui.NOTEBOOK,
    )
    made.start(running, PHASES)
    made.store.set_favourite(running.id, True)
    waiting = made.keep(name="waiting", queue="a100", memo="データの前処理")
    made.start(waiting, PHASES[:1])
    made.start(made.keep(name="starting"), PHASES[:3])
    asked = made.keep(name="asked")
    made.start(asked, ())
    stopping = made.start(made.keep(name=LONG, memo="a long memo " * 80), PHASES)
    made.sessions.stopping(stopping.id, Cause.STOPPED, made.now)
    failed = made.start(made.keep(name="failed-early"), PHASES[:2])
    made.end(
        failed, Cause.FAILED, detail="the environment torch2 is not there", exit_code=1
    )
    memory = made.start(made.keep(name="out-of-memory"), PHASES)
    made.end(memory, Cause.OUT_OF_MEMORY, exit_code=137)
    idle = made.start(made.keep(name="idle"), PHASES)
    made.end(idle, Cause.IDLE, seen=(("kernels", 2), ("kernels_busy", 0)))
    for cause in (Cause.REFUSED, Cause.LOST, Cause.NODE_FAILED, Cause.LIFETIME):
        made.end(made.start(made.keep(name=cause.value), PHASES[:2]), cause)
    assert never.id == 1
    made.shown()
    return made


def number_of(site: FakeSite, name: str) -> int:
    """Return the number of a notebook by its name."""
    found = site.notebooks.store.notebooks.values()
    return next(one.id for one in found if one.choices.name == name)
