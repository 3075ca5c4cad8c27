"""All jobs of a person, whoever submitted them: list, explain, cost, cancel, hold.

What is shown comes from the stored picture alone; Slurm is asked only to act. Of a
job that may be newer than the picture, the worker is asked to take another one.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Protocol

from kqi_hub.domain.costs import Cost
from kqi_hub.domain.errors import ClusterError, Conflict, NotFound
from kqi_hub.domain.job import Job
from kqi_hub.domain.own_jobs import (
    OF_SCRIPTS,
    Action,
    Group,
    JobKind,
    JobRun,
    SlurmId,
    Wanted,
    fits,
    groups_of,
    key_of,
    kind_of,
    parse_slurm_id,
    slurm_id_of,
)
from kqi_hub.domain.ports import ClusterControl
from kqi_hub.domain.reasons import Explained, explain
from kqi_hub.services.board import Picture
from kqi_hub.services.queues import Queues

# A person's newest jobs, live or ended; who has more looks with `sacct`.
MOST: Final = 3000
MOST_TASKS: Final = 200
_HELD: Final = frozenset({"JobHeldUser", "JobHeldAdmin"})
_BY_ADMIN: Final = "JobHeldAdmin"


class JobStore(Protocol):
    """Where the worker leaves the picture. Every method blocks."""

    def jobs(
        self, user: str | None = None, limit: int = 100, after: int | None = None
    ) -> tuple[Job, ...]:
        """Return jobs newest first, ended ones included."""

    def exit_codes(self, job_ids: Collection[int]) -> Mapping[int, int]:
        """Return what accounting has of those that have ended, by job id.

        What a signal ended has 128 and the signal's number, as a shell says it.
        """


class JobRuns(Protocol):
    """Which runs jobs are of. Every method blocks."""

    def of_jobs(
        self, job_ids: Collection[int], keys: Collection[str]
    ) -> Mapping[int, JobRun]:
        """Return the runs of jobs by the jobs' ids: ids come again, keys do not."""


@dataclass(frozen=True, slots=True)
class JobView:
    """A job at one moment; `cost` in micro-currency, None where there is no rate.

    `is_billed`: it has ended, and the book has it so.
    """

    job: Job
    id: SlurmId
    why: Explained | None
    ran_s: int | None
    left_s: int | None
    cost: int | None
    is_billed: bool = False
    exit_code: int | None = None

    @property
    def is_held(self) -> bool:
        """Tell whether somebody keeps it from starting."""
        return self.job.is_waiting and self.job.reason in _HELD

    @property
    def actions(self) -> tuple[Action, ...]:
        """Return what its owner can do with it now."""
        if self.job.is_over:
            return ()
        # What an operator holds, only an operator lets go.
        if not self.job.is_waiting or self.job.reason == _BY_ADMIN:
            return (Action.CANCEL,)
        return (Action.CANCEL, Action.RELEASE if self.is_held else Action.HOLD)


@dataclass(frozen=True, slots=True)
class GroupView:
    """A job, or an array with its tasks; `thing` is the number of what it is for.

    `folder`, below `kqi` on its owner's scratch, is that of a run.
    """

    id: int
    is_array: bool
    kind: JobKind
    thing: int | None
    folder: str
    tasks: tuple[JobView, ...]
    more: int
    counts: Mapping[str, int]
    cost: int | None
    is_billed: bool

    @property
    def head(self) -> JobView:
        """Return the job, or the first task that tells how the array stands."""
        live = [view for view in self.tasks if not view.job.is_over]
        return next(iter(live), self.tasks[0])

    @property
    def is_live(self) -> bool:
        """Tell whether any of it has not ended."""
        return any(not view.job.is_over for view in self.tasks)

    @property
    def actions(self) -> tuple[Action, ...]:
        """Return what can be done with all of it at once."""
        if not self.is_array:
            return self.head.actions
        can = {action for view in self.tasks for action in view.actions}
        return tuple(one for one in Action if one in can)


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of one's jobs; `found` fit, of `total`. `is_cut`: older ones lack."""

    picture: Picture
    groups: tuple[GroupView, ...]
    found: int
    total: int
    is_cut: bool


@dataclass(frozen=True)
class OwnJobs:
    """The jobs of whoever asks; one for a process."""

    store: JobStore
    runs: JobRuns
    control: ClusterControl
    queues: Queues
    wall: Callable[[], float] = time.time

    async def list(self, person: str, wanted: Wanted) -> JobPage:
        """Return one page of the person's jobs, the newest first."""
        picture, jobs = await self._known(person)
        page = await asyncio.to_thread(self._page, picture, jobs, wanted)
        return replace(page, groups=await self._with_codes(page.groups))

    async def one(self, person: str, text: str) -> tuple[Picture, GroupView]:
        """Return a job or array of the person's; NotFound for anything else."""
        picture, _, mine = await self._mine(person, text)
        groups = groups_of(mine)
        [view] = await asyncio.to_thread(self._groups, picture, groups, len(mine))
        [whole] = await self._with_codes((view,))
        return picture, whole

    async def cancel(self, person: str, text: str) -> None:
        """Cancel a job, a task, or an array with all its tasks."""
        target = await self._target(person, text, Action.CANCEL)
        await self.control.cancel(person, [str(target)])
        await self._look_again()

    async def hold(self, person: str, text: str) -> None:
        """Keep what waits of it from starting."""
        target = await self._target(person, text, Action.HOLD)
        await self.control.hold(person, str(target))
        await self._look_again()

    async def release(self, person: str, text: str) -> None:
        """Let what is held of it start."""
        target = await self._target(person, text, Action.RELEASE)
        await self.control.release(person, str(target))
        await self._look_again()

    async def _target(self, person: str, text: str, action: Action) -> SlurmId:
        """Return what to act on; NotFound if it is not theirs, Conflict if it is late.

        The door asks Slurm as the person, so that Slurm has the last word on whose it
        is.
        """
        picture, asked, mine = await self._mine(person, text)
        views = [_view_of(picture, job, self.wall(), Cost()) for job in mine]
        if not any(action in view.actions for view in views):
            raise _not_now(action, asked, views[0])
        return _to_act_on(asked, mine)

    async def _look_again(self) -> None:
        """Have the worker look soon; what was done is done, whatever it says."""
        with suppress(ClusterError):
            await self.queues.refresh()

    async def _with_codes(self, groups: tuple[GroupView, ...]) -> tuple[GroupView, ...]:
        """Add the exit codes of what has ended among what is shown."""
        over = [
            view.job.job_id
            for group in groups
            for view in group.tasks
            if view.job.is_over
        ]
        if not over:
            return groups
        codes = await asyncio.to_thread(self.store.exit_codes, over)
        return tuple(
            replace(
                group,
                tasks=tuple(
                    replace(view, exit_code=codes.get(view.job.job_id))
                    for view in group.tasks
                ),
            )
            for group in groups
        )

    async def _mine(
        self, person: str, text: str
    ) -> tuple[Picture, SlurmId, tuple[Job, ...]]:
        """Return the person's jobs that a number means; NotFound if there are none."""
        asked = parse_slurm_id(text)
        if asked is None:
            raise _no_such_job(text)
        picture, jobs = await self._known(person)
        mine = _those(jobs, asked)
        if not mine and await self._may_be_newer(picture, asked):
            await self.queues.renewed()
            picture, jobs = await self._known(person)
            mine = _those(jobs, asked)
        if not mine:
            raise _no_such_job(text)
        return picture, asked, mine

    async def _may_be_newer(self, picture: Picture, asked: SlurmId) -> bool:
        """Tell whether a job may have come after the last look: numbers only grow."""
        newest = await asyncio.to_thread(self.store.jobs, None, 1)
        return asked.job > max(
            (job.job_id for job in (*picture.jobs, *newest)), default=0
        )

    async def _known(self, person: str) -> tuple[Picture, tuple[Job, ...]]:
        picture = await self.queues.board.current()
        stored = await asyncio.to_thread(self.store.jobs, person, MOST)
        known = {job.job_id: job for job in stored if job.user == person}
        # The two are read at different moments: what has ended stays so.
        for job in picture.jobs:
            if job.user == person and job.job_id not in known:
                known[job.job_id] = job
        return picture, tuple(known.values())

    def _page(self, picture: Picture, jobs: tuple[Job, ...], wanted: Wanted) -> JobPage:
        groups = groups_of(jobs)
        found = [group for group in groups if fits(group, wanted)]
        shown = found[wanted.offset : wanted.offset + wanted.limit]
        return JobPage(
            picture,
            self._groups(picture, shown, MOST_TASKS),
            len(found),
            len(groups),
            len(jobs) >= MOST,
        )

    def _groups(
        self, picture: Picture, groups: Sequence[Group], most: int
    ) -> tuple[GroupView, ...]:
        """Join jobs with their runs and what each has cost: asked for all. Blocks."""
        now = self.wall()
        runs = self._runs(groups)
        jobs = [job for group in groups for job in group.jobs]
        costs = self.queues.costs.of_jobs(jobs, picture.scene, now)
        return tuple(
            _group_of(
                group,
                [_view_of(picture, job, now, costs[job.job_id]) for job in group.jobs],
                runs.get(group.id),
                most,
            )
            for group in groups
        )

    def _runs(self, groups: Sequence[Group]) -> Mapping[int, JobRun]:
        names = {group.id: group.jobs[0].name for group in groups}
        keys = {
            job_id: key
            for job_id, name in names.items()
            if kind_of(name)[0] in OF_SCRIPTS and (key := key_of(name))
        }
        return self.runs.of_jobs(keys, set(keys.values())) if keys else {}


def _group_of(
    group: Group, views: Sequence[JobView], run: JobRun | None, most: int
) -> GroupView:
    kind, thing = kind_of(group.jobs[0].name)
    if kind in OF_SCRIPTS:
        # The name of a script's job has the number of the run that it was made for.
        thing = None if run is None else run.number
    known = [view.cost for view in views if view.cost is not None]
    # What is live comes first where not all can be shown.
    kept = sorted(views, key=lambda view: view.job.is_over)[:most]
    return GroupView(
        id=group.id,
        is_array=group.is_array,
        kind=kind,
        thing=thing,
        folder="" if run is None else run.folder,
        tasks=tuple(views if len(views) <= most else kept),
        more=max(0, len(views) - most),
        counts=Counter(view.job.state for view in views),
        cost=sum(known) if len(known) == len(views) else None,
        is_billed=all(view.is_billed for view in views),
    )


def _view_of(picture: Picture, job: Job, now: float, cost: Cost) -> JobView:
    began = None if job.is_waiting else job.starts_at
    until = now if not job.is_over else float(job.ends_at or now)
    ran_s = None if began is None else max(0, int(until - began))
    ends = job.ends_at if began is not None and not job.is_over else None
    return JobView(
        job=job,
        id=slurm_id_of(job),
        why=explain(job, picture.scene),
        ran_s=ran_s,
        left_s=None if ends is None else max(0, int(ends - now)),
        cost=cost.amount,
        is_billed=cost.is_billed,
    )


def _those(jobs: tuple[Job, ...], asked: SlurmId) -> tuple[Job, ...]:
    """Return the jobs that a number means: one, or all that are known of an array."""
    if asked.task is not None:
        return tuple(job for job in jobs if slurm_id_of(job) == asked)
    of_array = tuple(job for job in jobs if job.array_id == asked.job)
    return of_array or tuple(job for job in jobs if job.job_id == asked.job)


def _to_act_on(asked: SlurmId, mine: tuple[Job, ...]) -> SlurmId:
    """Return the number to send: a task that was named by its own job's number too."""
    if (
        asked.task is None
        and len(mine) == 1
        and mine[0].array_id not in {None, asked.job}
    ):
        return slurm_id_of(mine[0])
    return asked


def _no_such_job(text: str) -> NotFound:
    return NotFound(
        "You have no job {job}.",
        "The list shows jobs that wait or run, and those that ended lately.",
        job=text[:40],
    )


def _not_now(action: Action, asked: SlurmId, view: JobView) -> Conflict:
    if view.job.is_over:
        return Conflict(
            "Job {job} has ended.", "There is nothing to do with it.", job=str(asked)
        )
    if action is Action.HOLD and not view.job.is_waiting:
        return Conflict(
            "Job {job} runs already; only what waits can be held.",
            "Cancel it if it shall not go on.",
            job=str(asked),
        )
    if view.job.reason == _BY_ADMIN:
        return Conflict(
            "Job {job} is held by an operator.",
            "Ask them; only an operator lets it go.",
            job=str(asked),
        )
    if action is Action.RELEASE:
        return Conflict(
            "Job {job} is not held.", "It starts by itself.", job=str(asked)
        )
    return Conflict("Job {job} is held already.", "Release it.", job=str(asked))
