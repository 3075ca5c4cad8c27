"""Runs on a Slurm in memory, followed by processes that can be killed at any moment."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, cast

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.notebook_ports import SecretFiles
from kqi_hub.domain.ports import BatchScript
from kqi_hub.domain.run_ports import (
    Collected,
    NewRun,
    OrderParts,
    RunFolders,
    RunStore,
)
from kqi_hub.domain.runs import Run, RunKind, RunSpec, RunState
from kqi_hub.services.run_keeping import RunKeeper
from kqi_hub.services.run_world import Picture, RunTimes, RunWorld, Slurm
from tests.fakes.runs import FakeRunStore
from tests.fakes.sessions import FakeSecretFiles, FakeSlurm
from tests.fakes.slurm_reader import make_job
from tests.fakes.snapshot_store import FakeSnapshotStore

NOW = 1_800_000_000.0
SPEC = RunSpec("first", "vision", "cpu", "python train.py")
# Nothing in these tests needs the patience that people and Slurm do.
QUICK = RunTimes(pause=0.0, settle=0.0, young=0.0, late=0.0)
RESULT = Collected(value="0.93", files=3, bytes=4096, exit_code=0)


class Killed(Exception):
    """The process is dead: nothing it does from now on has an effect."""


class Proxy:
    """One part of the world as a process sees it, with a fault point on each side.

    Calls are one after the other, as in transactions, whatever thread they come from.
    """

    def __init__(self, process: "Process", part: object) -> None:
        self._process = process
        self._part = part

    def __getattr__(self, name: str) -> Any:
        return self._process.guarded(getattr(self._part, name))


class Process:
    """A process that is killed at its `dies_at`-th point, never if that is None."""

    def __init__(self, lab: "RunLab", name: str, dies_at: int | None = None) -> None:
        self.name = name
        self.points = 0
        self.dead = False
        self._dies_at = dies_at
        self._lab = lab
        self._lock = threading.Lock()
        self.keeper = RunKeeper(self._world())

    def guarded(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return the call with a point before and one after."""
        if inspect.iscoroutinefunction(call):

            async def awaited(*given: Any, **named: Any) -> Any:
                self._point()
                answer = await call(*given, **named)
                self._point()
                return answer

            return awaited

        def called(*given: Any, **named: Any) -> Any:
            self._point()
            with self._lab.lock:
                answer = call(*given, **named)
            self._point()
            return answer

        return called

    def _point(self) -> None:
        with self._lock:
            self.points += 1
            if self._dies_at is not None and self.points >= self._dies_at:
                self.dead = True
            if self.dead:
                raise Killed(f"{self.name} at point {self.points}")

    def _world(self) -> RunWorld:
        lab = self._lab
        return RunWorld(
            runs=cast(RunStore, Proxy(self, lab.store)),
            slurm=cast(Slurm, Proxy(self, lab.slurm)),
            picture=cast(Picture, Proxy(self, lab.picture)),
            secrets=cast(SecretFiles, Proxy(self, lab.files)),
            outputs=cast(RunFolders, Proxy(self, lab.folders)),
            folders=self.guarded(lab.make_folders),
            script=self.guarded(lab.script),
            parts=self.guarded(lab.parts),
            order=self.guarded(lab.order),
            release=self.guarded(lab.release),
            clock=lambda: lab.now,
            by=self.name,
            times=lab.times,
        )

    async def work(self) -> None:
        """Take over, follow and collect, until nothing is under way."""
        await self.keeper.take_over()
        await self.keeper.idle()
        await self.keeper.follow()
        await self.keeper.idle()


class ArraySlurm(FakeSlurm):
    """Accounting knows tasks of arrays, too."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: dict[str, EndedJob | None] = {}

    async def ended_tasks(
        self, array_ids: Sequence[int]
    ) -> Mapping[str, EndedJob | None]:
        self._called("sacct", self.accounting_fault)
        return {
            word: record
            for word, record in self.tasks.items()
            if int(word.partition("_")[0]) in array_ids
        }


class FakeRunFolders:
    """What runs have left, by their numbers; `faults` are raised in turn."""

    def __init__(self) -> None:
        self.found: dict[int, Collected | None] = {}
        self.usual: Collected | None = RESULT
        self.faults: list[KqiError] = []
        self.calls: list[tuple[str, tuple[int, ...]]] = []
        self.removed: list[tuple[str, str]] = []

    async def collect(
        self, person: str, runs: Sequence[Run]
    ) -> Mapping[int, Collected | None]:
        self.calls.append((person, tuple(run.id for run in runs)))
        if self.faults:
            raise self.faults.pop(0)
        return {run.id: self.found.get(run.id, self.usual) for run in runs}

    async def remove(self, person: str, folders: Sequence[str]) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.removed.extend((person, folder) for folder in folders)


class RunLab:
    """The world of runs, and the processes in it."""

    def __init__(
        self, times: RunTimes = QUICK, store: RunStore | None = None, key: int = 0
    ) -> None:
        self.now = NOW
        # What was asked for, by the names of jobs; keys are numbered from `key` on.
        self.asked: dict[str, Run] = {}
        self._key = key
        # A database keeps order by itself.
        self.lock = nullcontext() if store else threading.Lock()
        self.times = times
        self.store = cast(FakeRunStore, store) if store else FakeRunStore()
        self.slurm = ArraySlurm()
        self.picture = FakeSnapshotStore()
        self.files = FakeSecretFiles()
        self.folders = FakeRunFolders()
        self.parts_faults: list[KqiError] = []
        self.released: list[int] = []
        # What happens while a folder on scratch is made.
        self.on_folders: Callable[[], Awaitable[None]] | None = None

    def process(self, name: str = "worker", dies_at: int | None = None) -> Process:
        """Begin a process."""
        return Process(self, name, dies_at)

    def ask(self, spec: RunSpec = SPEC, *, owner: str = "alice", **more: Any) -> Run:
        """Have the portal store the wish for a run."""
        self.now += 1
        number = f"{self._key + len(self.asked):026d}"
        key = number.translate(str.maketrans("0123456789", "abcdefghij"))
        new = NewRun(RunKind.TRAINING, owner, key, spec, **more)
        run = self.store.ask(new, self.now)
        self.asked[run.job_name] = run
        return run

    def ask_batch(self, tasks: int) -> tuple[Run, ...]:
        """Have the portal store the wish for an array."""
        self.now += 1
        new = NewRun(RunKind.PREPROCESSING, "alice", "a" * 26, SPEC, preprocessing=1)
        return self.store.ask_batch([new] * tasks, self.now)

    def look(self, *jobs: Job) -> None:
        """Have the worker look at Slurm, a moment later."""
        self.now += 10
        self.picture.known = {job.job_id: job for job in jobs}
        sequence = self.picture.fresh.sequence + 1
        self.picture.fresh = Freshness(sequence, self.now, self.now)

    def look_at_slurm(self, state: str) -> None:
        """Have the worker see every job that was submitted, all in this state."""
        jobs = []
        for number, script in enumerate(self.slurm.scripts, 101):
            if number not in self.slurm.cancelled:
                owner = self.asked[script.name].owner
                jobs.append(self.job(script.name, state, number, owner))
        self.look(*jobs)

    def job(
        self, name: str, state: str = "RUNNING", number: int = 101, user: str = "alice"
    ) -> Job:
        """Make a job as the picture shows it."""
        began = None if state == "PENDING" else int(NOW + 20)
        over = state not in {"PENDING", "RUNNING", "COMPLETING"}
        return replace(
            make_job(number, state),
            name=name,
            user=user,
            node_list="" if state == "PENDING" else "gpu07",
            starts_at=began,
            ends_at=int(NOW + 40) if over else None,
        )

    @property
    def jobs(self) -> int:
        """Return how many jobs there are that nobody has cancelled."""
        return len(self.slurm.scripts) - len(self.slurm.cancelled)

    def one(self, run: Run) -> Run:
        """Return a run as it is stored now."""
        found = self.store.one(run.id)
        assert found is not None
        return found

    def record(self, number: int, state: str, code: int = 0, name: str = "") -> None:
        """Have accounting know how a job ended, of its own name unless told another."""
        began, ended = int(NOW + 20), int(self.now)
        name = name or self.slurm.scripts[number - 101].name
        end = EndedJob(number, state, began, ended, code, 0, name)
        self.slurm.records[number] = end

    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    # What the process is given as functions.

    async def make_folders(self, person: str) -> None:
        if self.on_folders is not None:
            await self.on_folders()

    def script(self, runs: tuple[Run, ...]) -> BatchScript:
        name = runs[0].job_name
        return BatchScript(name, f"#!/bin/sh\n# {name}\n", "/scratch/alice")

    async def parts(self, runs: tuple[Run, ...]) -> OrderParts:
        await asyncio.sleep(0)
        if self.parts_faults:
            raise self.parts_faults.pop(0)
        return OrderParts(runs)

    def order(self, parts: OrderParts) -> str:
        return f"order of {parts.runs[0].job_name}"

    async def release(self, run: Run) -> None:
        self.released.append(run.id)


async def running(lab: RunLab, worker: Process) -> Run:
    """Bring a run to where its job runs."""
    run = lab.ask()
    await worker.work()
    lab.look_at_slurm("RUNNING")
    await worker.work()
    found = lab.one(run)
    assert (found.state, found.node) == (RunState.RUNNING, "gpu07")
    return found
