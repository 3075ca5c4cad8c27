"""Runs in memory: a store, a Slurm that takes whatever it is asked for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kqi_hub.domain import run_states as rules
from kqi_hub.domain.data import Kind, Thing, Use
from kqi_hub.domain.dataset_ports import DatasetStore, UseStore
from kqi_hub.domain.errors import Conflict, KqiError, NotFound
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.run_list import RunFilter
from kqi_hub.domain.run_ports import Collected, NewRun, Removal, RunNames, Told
from kqi_hub.domain.run_use import RunUse
from kqi_hub.domain.runs import (
    LIVE,
    Parent,
    Run,
    RunChange,
    RunEvent,
    RunKind,
    RunSpec,
    RunState,
    Source,
)
from kqi_hub.services.queues import Queues
from kqi_hub.services.runs import Runs
from tests.fakes.datasets import FakeDatasets
from tests.fakes.git import FakeResolver
from tests.fakes.images import FakeImages
from tests.fakes.login import FakeAuditLog
from tests.fakes.run_order import sorted_by

SPEC = RunSpec(
    name="first",
    tenant="vision",
    queue="cpu",
    command="python train.py --epochs 3",
    shape=Shape(2, 8192),
    lifetime_s=4 * 3600,
    memo="a first try",
    tags=("baseline",),
)
USE = RunUse("processes", 60.0, 45.0, 1.5, 700.0, 900.0, 14)
# What the examples speak of (`FakeRuns.furnish`), by their numbers.
DONE, RUNNING, FAILED, WAITING, PREPARED, INFERENCE, LATE = 1, 2, 3, 4, 5, 6, 7
DONE_JOB, RUNNING_JOB, WAITING_JOB = 90, 105, 108


@dataclass
class FakeRunStore:
    """A RunStore; what locks a dataset is noted at `uses`, if there are any."""

    uses: UseStore | None = None
    datasets: DatasetStore | None = None
    runs: dict[int, Run] = field(default_factory=dict)
    noted: dict[int, list[RunEvent]] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    leases: dict[str, tuple[str, float]] = field(default_factory=dict)
    folders: dict[int, Removal] = field(default_factory=dict)
    keeps: dict[int, bool] = field(default_factory=dict)
    # What owners are called.
    people: dict[str, str] = field(default_factory=dict)
    numbers: int = 0

    def clear(self) -> None:
        """Forget everything: numbers begin with 1 again."""
        for known in (self.runs, self.noted, self.scripts, self.leases, self.folders):
            known.clear()
        self.numbers = 0

    def ask(self, new: NewRun, now: float) -> Run:
        return self._add(new, now, None, None)

    def ask_batch(self, new: Sequence[NewRun], now: float) -> tuple[Run, ...]:
        first = self.numbers + 1
        return tuple(self._add(one, now, first, task) for task, one in enumerate(new))

    def one(self, run_id: int) -> Run | None:
        return self.runs.get(run_id)

    def named(self, key: str) -> tuple[Run, ...]:
        found = [one for one in self.runs.values() if one.key == key]
        return tuple(sorted(found, key=lambda one: one.task or 0))

    def search(self, wanted: RunFilter) -> tuple[tuple[Run, ...], int]:
        found = [one for one in self.runs.values() if self._fits(one, wanted)]
        found.sort(
            key=lambda one: (sorted_by(one, wanted.sort), one.id),
            reverse=wanted.is_descending,
        )
        end = wanted.offset + wanted.limit
        return tuple(found[wanted.offset : end]), len(found)

    def live(self, owner: str | None = None) -> tuple[Run, ...]:
        return tuple(
            one
            for one in self.runs.values()
            if one.is_live
            and one.state is not RunState.OPENED
            and owner in (None, one.owner)
        )

    def events(self, run_id: int) -> tuple[RunEvent, ...]:
        return tuple(self.noted.get(run_id, ()))

    def lease(self, key: str, by: str, until: float, now: float) -> bool:
        holder, ends = self.leases.get(key, ("", 0.0))
        if holder not in ("", by) and ends > now:
            return False
        self.leases[key] = (by, until)
        return True

    def keep_script(self, key: str, text: str) -> None:
        self.scripts[key] = text

    def hand_over(
        self, key: str, text: str, by: str, until: float, now: float
    ) -> tuple[Run, ...] | None:
        if not self.lease(key, by, until, now):
            return None
        asked = [run for run in self.named(key) if run.state is RunState.ASKED]
        if not all(run.stopping for run in asked):
            self.keep_script(key, text)
        return tuple(asked)

    def script(self, run_id: int) -> str | None:
        return self.scripts.get(self._known(run_id).key) or None

    def told(self, run_id: int, told: Told) -> Run:
        known = self._known(run_id)
        if not rules.is_news(known, told.state, told.job_id):
            return known
        said = {
            name: value
            for name in (
                "job_id", "node", "began_at", "ended_at", "exit_code", "detail",
                "outcome",
            )
            if (value := getattr(told, name)) is not None
        }  # fmt: skip
        return self._move(known, told.state, told.at, told.cause, **said)

    def submitted(
        self, run_ids: Collection[int], job_id: int, now: float
    ) -> tuple[Run, ...]:
        told = Told(RunState.PENDING, now, job_id=job_id)
        waits = {RunState.ASKED, RunState.PREPARED}
        return tuple(
            self.told(number, told) if self.runs[number].state in waits else known
            for number, known in sorted(self.runs.items())
            if number in run_ids
        )

    def forgotten(
        self, run_ids: Collection[int], job_id: int, now: float
    ) -> tuple[Run, ...]:
        for known in map(self._known, run_ids):
            was = (event.state for event in self.noted.get(known.id, ()))
            if rules.may_be_forgotten(known, job_id, was):
                moved = self._move(known, RunState.ASKED, now, rules.FORGOTTEN)
                self._keep(replace(moved, job_id=None, node=""), now)
        return tuple(map(self._known, sorted(run_ids)))

    def stopping(self, run_id: int, called: RunState, now: float) -> Run:
        known = self._known(run_id)
        if not known.is_live or known.stopping is not None:
            return known
        return self._keep(replace(known, stopping=called), now)

    def collected(self, run_id: int, found: Collected, now: float) -> Run:
        known = self._known(run_id)
        if not known.is_live:
            return known
        state = rules.final_state(found.state, known.outcome)
        return self._move(
            known,
            state,
            now,
            "",
            value=found.value,
            files=found.files,
            bytes=found.bytes,
            use=found.use,
            exit_code=(known.exit_code if found.exit_code is None else found.exit_code),
            detail=found.detail or known.detail,
            ended_at=now if known.ended_at is None else known.ended_at,
        )

    def refused(self, run_id: int, reason: str, now: float) -> Run | None:
        known = self._known(run_id)
        if not rules.is_news(known, RunState.REFUSED, None):
            return known
        self._release(known)
        if not self.keeps[run_id]:
            self._forget(run_id)
            return None
        return self._move(
            known, RunState.REFUSED, now, reason, detail=reason, ended_at=now
        )

    def adopted(self, run_id: int, job_id: int, now: float) -> Run:
        cause = "submitted by hand"
        return self.told(run_id, Told(RunState.PENDING, now, cause, job_id=job_id))

    def change(self, run_id: int, change: RunChange, now: float) -> Run:
        known = self._known(run_id)
        said = {
            name: value
            for name in ("name", "memo", "is_favourite")
            if (value := getattr(change, name)) is not None
        }
        tags = change.tags_of(known.tags)
        return self._keep(replace(known, **said, tags=tags), now)

    def delete(self, run_id: int, now: float) -> Run | None:
        known = self._known(run_id)
        if self.built_on(run_id):
            raise Conflict("Other runs are built on this one.", "Delete them first.")
        if known.going_at is not None:
            return known
        if known.is_live:
            if not rules.may_go_later(known):
                raise Conflict("This run has not ended.", "Delete it when it has.")
            called = known.stopping or RunState.USER_CANCELED
            return self._keep(replace(known, going_at=now, stopping=called), now)
        self._delete(known)
        return None

    def removals(self, limit: int = 100) -> tuple[Removal, ...]:
        return tuple(self.folders.values())[:limit]

    def removed(self, run_ids: Collection[int]) -> None:
        for number in run_ids:
            self.folders.pop(number, None)

    def names(self, runs: Sequence[Run]) -> RunNames:
        wanted = {one.spec.dataset for one in runs} - {None}
        found = [self.datasets.one(one or 0) for one in wanted] if self.datasets else []
        parents = {parent.id for one in runs for parent in one.spec.parents}
        return RunNames(
            {one.id: one.name for one in found if one is not None},
            {number: self.runs[number].name for number in parents & set(self.runs)},
            self.people,
        )

    def built_on(self, run_id: int) -> tuple[Run, ...]:
        known = self._known(run_id)
        me = Parent(known.kind, run_id)
        return tuple(one for one in self.runs.values() if me in one.spec.parents)

    def tags(self, tenant: str) -> tuple[str, ...]:
        found = (one.tags for one in self.runs.values() if one.spec.tenant == tenant)
        return tuple(sorted({tag for tags in found for tag in tags}))

    def changed_since(
        self, moment: float, tenants: Collection[str] | None = None, limit: int = 1000
    ) -> tuple[Run, ...]:
        found = [
            one
            for one in self.runs.values()
            if one.changed_at >= moment
            and (tenants is None or one.spec.tenant in tenants)
        ]
        return tuple(sorted(found, key=lambda one: -one.changed_at)[:limit])

    def stamps(self) -> Mapping[str, float]:
        found: dict[str, float] = {}
        for one in self.live():
            tenant = one.spec.tenant
            found[tenant] = found.get(tenant, 0.0) + one.changed_at
        return found

    def _add(self, new: NewRun, now: float, batch: int | None, task: int | None) -> Run:
        self.numbers += 1
        state = RunState.PREPARED if new.is_prepared else RunState.ASKED
        if new.spec.is_outside:
            state = RunState.OPENED
        run = Run(
            id=self.numbers,
            kind=new.kind,
            owner=new.owner,
            key=new.key,
            spec=new.spec,
            state=state,
            asked_at=now,
            changed_at=now,
            batch=batch,
            task=task,
            preprocessing=new.preprocessing,
            data=new.data,
            name=new.spec.name,
            memo=new.spec.memo,
            tags=new.spec.tags,
            folder=f"{new.kind.value}/{self.numbers}",
        )
        if self.uses is not None and new.spec.dataset is not None:
            self.uses.lock(new.spec.dataset, _thing(run), now)
        if self.uses is not None:
            for parent in new.spec.parents:
                used = Thing(Kind(parent.kind.value), str(parent.id))
                self.uses.record(Use(used, _thing(run), now, locks=False))
        self.runs[run.id] = run
        self.keeps[run.id] = new.keeps_refused
        self.noted[run.id] = [RunEvent(now, state)]
        return run

    def _move(
        self, known: Run, state: RunState, at: float, cause: str, **said: object
    ) -> Run:
        if state is not known.state:
            self.noted[known.id].append(RunEvent(at, state, cause))
        if state not in LIVE and known.ended_at is None:
            said = {"ended_at": at} | said
        changed = replace(known, state=state, **said)  # type: ignore[arg-type]  # ours
        moved = self._keep(changed, at)
        if not moved.is_live and moved.going_at is not None:
            self._delete(moved)
        return moved

    def _delete(self, run: Run) -> None:
        self._release(run)
        self._forget(run.id)
        self.folders[run.id] = Removal(run.id, run.owner, run.folder)

    def _keep(self, run: Run, now: float) -> Run:
        later = max(now, self.runs[run.id].changed_at + 1e-3)
        self.runs[run.id] = replace(run, changed_at=later)
        return self.runs[run.id]

    def _release(self, run: Run) -> None:
        if self.uses is not None:
            self.uses.forget_uses(_thing(run))

    def _forget(self, run_id: int) -> None:
        del self.runs[run_id], self.noted[run_id]

    def _known(self, run_id: int) -> Run:
        if run_id not in self.runs:
            raise NotFound("There is no run {id}.", id=run_id)
        return self.runs[run_id]

    def _fits(self, one: Run, wanted: RunFilter) -> bool:
        names = self.names([one])
        plain = (
            one.kind is wanted.kind
            and (wanted.tenants is None or one.spec.tenant in wanted.tenants)
            and (not wanted.states or one.state in wanted.states)
            and wanted.is_favourite in (None, one.is_favourite)
            and wanted.preprocessing in (None, one.preprocessing)
            and wanted.data in (None, one.data)
            and wanted.id.fits(one.id)
            and wanted.asked_at.fits(one.asked_at)
            and wanted.tags.fits(one.tags)
        )
        texts = (
            (one.name, wanted.name),
            (one.memo, wanted.memo),
            (one.spec.command, wanted.command),
            (one.owner, wanted.owner),
            (one.spec.queue, wanted.queue),
            (names.datasets.get(one.spec.dataset or 0, ""), wanted.dataset),
        )
        return (
            plain
            and all(part.fits(text) for text, part in texts)
            and _fits_parent(one, names, wanted)
        )


@dataclass
class FakeSubmission:
    """A Submission at which everything works at once; remembers what it was asked."""

    store: FakeRunStore
    begun: list[str] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    # The door is down: folders stay.
    down: KqiError | None = None
    is_closed: bool = False

    def begin(self, key: str) -> None:
        self.begun.append(key)

    async def stop(self, run: Run) -> None:
        self.stopped.append(run.id)

    async def prepared(self, run: Run) -> str:
        text = f"#!/bin/bash\n#SBATCH --job-name={run.job_name}\n"
        self.store.keep_script(run.key, text)
        return text

    async def remove(self, person: str, runs: Sequence[Run]) -> None:
        if self.down is not None:
            raise self.down
        self.removed += [f"{person}/{run.folder}" for run in runs]

    async def close(self) -> None:
        self.is_closed = True


@dataclass
class FakeRuns:
    """What the service of runs works with, all in memory."""

    datasets: FakeDatasets = field(default_factory=FakeDatasets)
    git: FakeResolver = field(default_factory=FakeResolver)
    images: FakeImages = field(default_factory=FakeImages)
    audit: FakeAuditLog = field(default_factory=FakeAuditLog)

    def __post_init__(self) -> None:
        self.store = FakeRunStore(self.datasets, self.datasets)
        self.submission = FakeSubmission(self.store)

    def runs(self, queues: Queues) -> Runs:
        """Return the service over these."""
        return Runs(
            store=self.store,
            submission=self.submission,
            queues=queues,
            git=self.git,
            datasets=self.datasets,
            uses=self.datasets,
            audit=self.audit,
            images=self.images,
        )

    def furnish(self, person: str) -> None:
        """Give a person what the examples speak of.

        Trainings: 1 completed, 2 running (job 105 of the small cluster), 3 failed,
        4 waiting, 5 prepared; 6 is an inference on 1 that has completed, 7 waits.
        """
        self.store.clear()
        source = Source("https://git.example.org/vision/model.git", "main", "1" * 40)
        spec = replace(SPEC, source=source)
        self.end(self._asked(person, RunKind.TRAINING, spec), DONE_JOB)
        self.run(self._asked(person, RunKind.TRAINING, replace(spec, name="second")))
        failed = self._asked(person, RunKind.TRAINING, replace(spec, name="third"))
        self.end(failed, DONE_JOB + 1, RunState.FAILED, 3)
        waits = self._asked(person, RunKind.TRAINING, replace(spec, name="fourth"))
        told = Told(RunState.PENDING, 13.0, job_id=WAITING_JOB)
        self.store.told(waits.id, told)
        self.store.ask(
            NewRun(
                RunKind.TRAINING,
                person,
                "prepared",
                replace(spec, name="fifth"),
                is_prepared=True,
            ),
            14.0,
        )
        child = replace(
            spec, name="infer", parents=(Parent(RunKind.TRAINING, DONE),), memo=""
        )
        self.end(self._asked(person, RunKind.INFERENCE, child), DONE_JOB + 2)
        late = self._asked(person, RunKind.INFERENCE, replace(spec, name="late"))
        told = Told(RunState.PENDING, 15.0, job_id=WAITING_JOB + 1)
        self.store.told(late.id, told)

    def run(self, run: Run, job_id: int = RUNNING_JOB) -> Run:
        """Let a run have a job that runs."""
        told = Told(RunState.RUNNING, 20.0, job_id=job_id, node="cpu01", began_at=20.0)
        return self.store.told(run.id, told)

    def end(
        self,
        run: Run,
        job_id: int,
        state: RunState = RunState.COMPLETED,
        exit_code: int = 0,
    ) -> Run:
        """Let a run have ended, with its results."""
        self.run(run, job_id)
        told = Told(RunState.COLLECTING, 80.0, ended_at=80.0, outcome=state)
        self.store.told(run.id, told)
        self.store.keep_script(run.key, f"#!/bin/bash\n# {run.job_name}\n")
        found = Collected(state, "0.93", 3, 2048, exit_code, use=USE)
        return self.store.collected(run.id, found, 81.0)

    def _asked(self, person: str, kind: RunKind, spec: RunSpec) -> Run:
        key = f"key{self.store.numbers + 1}"
        return self.store.ask(NewRun(kind, person, key, spec), 10.0)


def _thing(run: Run) -> Thing:
    return Thing(Kind(run.kind.value), str(run.id))


def _fits_parent(one: Run, names: RunNames, wanted: RunFilter) -> bool:
    numbers = [parent.id for parent in one.spec.parents]
    is_any_number = wanted.parent_id.fits(-1) and wanted.parent_id.fits(2.0**60)
    by_number = is_any_number or any(map(wanted.parent_id.fits, numbers))
    part = wanted.parent_name
    has = any(
        replace(part, is_refused=False).fits(text) for text in names.runs.values()
    )
    by_name = not part.text or has is not part.is_refused
    return by_number and by_name
