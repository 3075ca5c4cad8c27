"""End sessions whose job has ended, by what Slurm said, whoever else is down."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Protocol

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.errors import ClusterError
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.notebook_ends import word_of_end, word_of_record
from kqi_hub.domain.notebook_ports import SessionEnd, SessionStore
from kqi_hub.domain.notebooks import Cause, Session

# slurmdbd may know a job later than slurmctld has forgotten it.
GRACE_S: Final = 600.0
# Between two questions to accounting, however often Slurm is looked at.
ASK_EVERY_S: Final = 30.0
_CAUSES: Final[Mapping[str, Cause]] = {
    "COMPLETED": Cause.FINISHED,
    "FAILED": Cause.FAILED,
    "TIMEOUT": Cause.LIFETIME,
    "DEADLINE": Cause.LIFETIME,
    "OUT_OF_MEMORY": Cause.OUT_OF_MEMORY,
    "NODE_FAIL": Cause.NODE_FAILED,
    "BOOT_FAIL": Cause.NODE_FAILED,
    "CANCELLED": Cause.KILLED,
    "PREEMPTED": Cause.KILLED,
    "REVOKED": Cause.KILLED,
}


class Picture(Protocol):
    """What the worker has stored. Every method blocks."""

    def freshness(self) -> Freshness:
        """Return how old it is."""

    def known_jobs(
        self, job_ids: Collection[int], names: Collection[str] = ()
    ) -> tuple[Job, ...]:
        """Return the jobs of these ids or names, live or ended, that it has."""


class Accounting(Protocol):
    """What accounting says; raises ClusterError when it does not answer."""

    async def ended(self, job_ids: Sequence[int]) -> Mapping[int, EndedJob]:
        """Return what has ended."""


class SessionSettler:
    """Compare live sessions with the stored picture; call it after each look."""

    def __init__(
        self,
        sessions: SessionStore,
        picture: Picture,
        accounting: Accounting,
        wall: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._picture = picture
        self._accounting = accounting
        self._wall = wall
        # Since when a session's job is nowhere, on this process's own clock.
        self._missing_since: dict[int, float] = {}
        self._asked_at = float("-inf")

    async def settle(self) -> tuple[Session, ...]:
        """End what has ended, and return it. A failed look ends nobody's session."""
        live, fresh, jobs = await asyncio.to_thread(self._read)
        if fresh.taken_at is None:
            return ()
        by_id = {job.job_id: job for job in jobs}
        done, missing = [], []
        for session in live:
            job = by_id.get(session.job_id or -1)
            if job is None or job.name != session.job_name:
                # A picture from before the submission proves nothing.
                if fresh.taken_at > session.changed_at:
                    missing.append(session)
            elif job.is_over:
                word = word_of_end(job.state, job.reason)
                done.append(await self._end(session, cause_of(job.state), word))
        return (*done, *await self._settle_missing(missing))

    def _read(self) -> tuple[list[Session], Freshness, tuple[Job, ...]]:
        live = [one for one in self._sessions.live() if one.job_id is not None]
        fresh = self._picture.freshness()
        ids = [one.job_id for one in live if one.job_id is not None]
        return live, fresh, self._picture.known_jobs(ids) if ids else ()

    async def _settle_missing(self, missing: list[Session]) -> list[Session]:
        """Ask accounting about jobs that the picture does not have at all."""
        now = self._wall()
        self._missing_since = {
            one.id: self._missing_since.get(one.id, now) for one in missing
        }
        if not missing or now - self._asked_at < ASK_EVERY_S:
            return []
        self._asked_at = now
        ids = [one.job_id for one in missing if one.job_id is not None]
        try:
            ended = await self._accounting.ended(ids)
        except ClusterError:
            # Silence is no proof, and the time of silence does not count either.
            self._missing_since = dict.fromkeys(self._missing_since, now)
            raise
        done = []
        for session in missing:
            job = ended.get(session.job_id or -1)
            if job is not None and is_end_of(session, job, GRACE_S):
                cause = cause_of(job.state)
                word = word_of_record(job)
                done.append(await self._end(session, cause, word, job))
            elif now - self._missing_since[session.id] >= GRACE_S:
                done.append(await self._end(session, Cause.LOST, ""))
        return done

    async def _end(
        self, session: Session, cause: Cause, detail: str, job: EndedJob | None = None
    ) -> Session:
        end = SessionEnd(
            at=self._wall() if job is None else float(job.ended_at),
            cause=cause,
            detail=detail,
            exit_code=None if job is None else job.exit_code,
        )
        return await asyncio.to_thread(self._sessions.ended, session.id, end)


def is_end_of(session: Session, job: EndedJob, slack_s: float) -> bool:
    """Tell whether a record is of this session's job: Slurm gives numbers again.

    They wrap, and a controller that was killed has forgotten what it took last.
    """
    is_late_enough = job.ended_at >= session.asked_at - slack_s
    return is_late_enough and job.name == session.job_name


def cause_of(state: str) -> Cause:
    """Return why a session ended, from the state that Slurm gives its job."""
    return _CAUSES.get(state, Cause.FAILED)
