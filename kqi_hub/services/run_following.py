"""Follow the jobs of runs by the stored picture, once for everybody.

What ends a run is Slurm's word or accounting's; a silence never does.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.errors import ClusterError
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.run_ports import Told
from kqi_hub.domain.run_states import ended_as
from kqi_hub.domain.runs import Run, RunState
from kqi_hub.services.run_jobs import job_of, task_record, told_of
from kqi_hub.services.run_losses import RunLosses
from kqi_hub.services.run_submit import cancel_jobs, note_job
from kqi_hub.services.run_world import RunWorld

_WAITS_FOR_A_JOB: Final = frozenset({RunState.PREPARED, RunState.ASKED})
# Clocks of the portal and of accounting may differ by this much.
_CLOCK_SLACK_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Look:
    """What is compared: the runs that live, and their jobs as the picture has them."""

    runs: tuple[Run, ...]
    fresh: Freshness
    jobs: Mapping[str, Sequence[Job]]


class RunFollower:
    """Compare live runs with the picture; call it after each look at Slurm."""

    def __init__(self, world: RunWorld) -> None:
        self._world = world
        # Since when a run's job is nowhere, and when its job was cancelled.
        self._missing_since: dict[int, float] = {}
        self._cancelled_at: dict[int, float] = {}
        self._asked_at = float("-inf")
        self._losses = RunLosses(world)

    async def follow(self) -> tuple[Run, ...]:
        """Note what has changed; return the runs whose results can be collected."""
        look = await asyncio.to_thread(self._read)
        if look.fresh.taken_at is None:
            return ()
        ends: list[tuple[Run, Job]] = []
        missing: list[Run] = []
        unwanted: list[Run] = []
        for known in look.runs:
            job = job_of(known, look.jobs.get(known.job_name, ()))
            if job is None:
                if known.job_id is not None and look.fresh.taken_at > known.changed_at:
                    missing.append(known)
                continue
            run = await self._with_job(known, job)
            if job.is_over:
                ends.append((run, job))
                continue
            run = await self._moved(run, job)
            if run.stopping is not None:
                unwanted.append(run)
        await self._cancel(unwanted)
        done = await self._end_all(ends)
        return (*done, *await self._settle_missing(missing))

    def _read(self) -> Look:
        # In this order: a run that is changed after the picture was read is no liar.
        fresh = self._world.picture.freshness()
        live = self._world.runs.live()
        runs = tuple(run for run in live if run.state is not RunState.COLLECTING)
        ids = {run.job_id for run in runs if run.job_id is not None}
        # Names are found without an index: only what numbers do not find.
        names = {
            run.job_name
            for run in runs
            if run.state in _WAITS_FOR_A_JOB or run.task is not None
        }
        jobs: dict[str, list[Job]] = {}
        for job in self._world.picture.known_jobs(ids, names):
            jobs.setdefault(job.name, []).append(job)
        return Look(runs, fresh, jobs)

    async def _with_job(self, run: Run, job: Job) -> Run:
        """Have it noted that a run has this job, where nobody did yet."""
        number = job.array_id or job.job_id
        if run.state is RunState.PREPARED:
            return await asyncio.to_thread(
                self._world.runs.adopted, run.id, number, self._world.clock()
            )
        if run.job_id is None:
            await note_job(self._world, [run], number)
            found = await asyncio.to_thread(self._world.runs.one, run.id)
            return found or run
        return run

    async def _moved(self, run: Run, job: Job) -> Run:
        """Have it noted that a job waits, or where it runs."""
        told = told_of(run, job, self._world.clock())
        if told is None:
            return run
        return await asyncio.to_thread(self._world.runs.told, run.id, told)

    async def _cancel(self, runs: Sequence[Run]) -> None:
        """Cancel again what lives on although it was stopped."""
        now = self._world.clock()
        kept = {run.id for run in runs}
        self._cancelled_at = {
            number: at for number, at in self._cancelled_at.items() if number in kept
        }
        due: dict[str, list[Run]] = {}
        for run in runs:
            last = self._cancelled_at.get(run.id, float("-inf"))
            if now - last >= self._world.times.ask_every:
                self._cancelled_at[run.id] = now
                due.setdefault(run.owner, []).append(run)
        for some in due.values():
            await cancel_jobs(self._world, some)

    async def _end_all(self, ends: Sequence[tuple[Run, Job]]) -> list[Run]:
        """Note ends that the picture has; only accounting knows their exit codes."""
        unsure = [job.job_id for _, job in ends if job.state != "COMPLETED"]
        records = await self._records(unsure)
        return [
            await self._ended(run, job, records.get(job.job_id)) for run, job in ends
        ]

    async def _records(self, job_ids: Sequence[int]) -> Mapping[int, EndedJob]:
        if not job_ids:
            return {}
        try:
            return await self._world.slurm.ended(job_ids)
        except ClusterError:
            return {}  # the end is known; the run's own folder has its exit code, too

    async def _ended(self, run: Run, job: Job, record: EndedJob | None) -> Run:
        now = self._world.clock()
        if record is not None and not _is_of(record, run):
            record = None
        outcome, detail = ended_as(record or job, run)
        ran = bool(job.node_list)
        told = Told(
            RunState.COLLECTING,
            now,
            cause=detail,
            outcome=outcome,
            detail=detail,
            node=job.node_list or None,
            began_at=float(job.starts_at) if ran and job.starts_at else None,
            ended_at=float(job.ends_at or now),
            exit_code=_exit_code(job.state, record),
        )
        return await asyncio.to_thread(self._world.runs.told, run.id, told)

    async def _settle_missing(self, missing: Sequence[Run]) -> list[Run]:
        """Ask accounting about jobs that the picture does not have at all."""
        now = self._world.clock()
        self._missing_since = {
            run.id: self._missing_since.get(run.id, now) for run in missing
        }
        if not missing or now - self._asked_at < self._world.times.ask_every:
            return []
        self._asked_at = now
        try:
            records = await self._ends_of(missing)
        except ClusterError:
            # Silence is no proof, and the time of silence does not count either.
            self._missing_since = dict.fromkeys(self._missing_since, now)
            raise
        done, gone = [], []
        for run in missing:
            record = records.get(run.id)
            if record is not None and _is_of(record, run):
                done.append(await self._ended_by(run, record))
            else:
                gone.append(run)
        times = self._world.times
        asked = await self._losses.ask_again(self._for(gone, times.forgotten))
        lost = [run for run in self._for(gone, times.grace) if run.id not in asked]
        return done + [await self._lost(run) for run in lost]

    def _for(self, gone: Sequence[Run], seconds: float) -> list[Run]:
        """Return those that are nowhere for so long."""
        before = self._world.clock() - seconds
        return [run for run in gone if self._missing_since[run.id] <= before]

    async def _ends_of(self, missing: Sequence[Run]) -> Mapping[int, EndedJob]:
        """Return what accounting says of runs, by their numbers."""
        singles = _job_ids(run for run in missing if run.task is None)
        arrays = _job_ids(run for run in missing if run.task is not None)
        slurm = self._world.slurm
        ended = await slurm.ended(singles) if singles else {}
        tasks = await slurm.ended_tasks(sorted(set(arrays))) if arrays else {}
        found = {}
        for run in missing:
            record = ended.get(run.job_id or -1) if run.task is None else None
            record = record or task_record(run, tasks)
            if record is not None:
                found[run.id] = record
        return found

    async def _ended_by(self, run: Run, record: EndedJob) -> Run:
        outcome, detail = ended_as(record, run)
        began = record.started_at
        told = Told(
            RunState.COLLECTING,
            self._world.clock(),
            cause=detail,
            outcome=outcome,
            detail=detail,
            began_at=None if began is None else float(began),
            ended_at=float(record.ended_at),
            exit_code=_exit_code(record.state, record),
        )
        return await asyncio.to_thread(self._world.runs.told, run.id, told)

    async def _lost(self, run: Run) -> Run:
        now = self._world.clock()
        detail = f"Neither Slurm nor its accounting knows of job {run.job_id}."
        told = Told(
            RunState.COLLECTING,
            now,
            cause=detail,
            outcome=RunState.UNKNOWN,
            detail=detail,
            ended_at=now,
        )
        return await asyncio.to_thread(self._world.runs.told, run.id, told)


def _exit_code(state: str, record: EndedJob | None) -> int | None:
    if state == "COMPLETED":
        return 0
    if record is None or state not in {"FAILED", "OUT_OF_MEMORY"}:
        return None  # Slurm's number is of the way it was ended, not of the command
    return record.exit_code or (128 + record.signal if record.signal else None)


def _is_of(record: EndedJob, run: Run) -> bool:
    """Tell whether the record is of this run's job: Slurm gives numbers again.

    They wrap, and a controller that was killed has forgotten what it took last.
    """
    is_late_enough = record.ended_at >= run.asked_at - _CLOCK_SLACK_S
    return is_late_enough and record.name == run.job_name


def _job_ids(runs: Iterable[Run]) -> list[int]:
    return [run.job_id for run in runs if run.job_id is not None]
