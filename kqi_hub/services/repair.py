"""Notebooks that database and Slurm do not agree about: found, named, put right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.notebook_ends import word_of_record
from kqi_hub.domain.notebook_ports import SessionEnd, SessionStore
from kqi_hub.domain.notebooks import Cause, Session
from kqi_hub.domain.ports import ClusterControl, ClusterReader, SnapshotStore
from kqi_hub.services.session_settling import cause_of, is_end_of
from kqi_hub.services.stray_jobs import is_of_notebook

_CLOCK_SLACK_S: Final = 300.0


class Kind(StrEnum):
    """What does not agree."""

    UNNOTED = "unnoted"  # a session without a job has one at Slurm
    NEVER_SUBMITTED = "never-submitted"  # to be stopped, and Slurm has no job
    OVER = "over"  # a live session, and accounting says that its job has ended
    STRAY = "stray"  # a job of a notebook, and no live session has it


@dataclass(frozen=True, slots=True)
class Stray:
    """One disagreement; `deed` is what repairing it does, empty for nothing."""

    kind: Kind
    owner: str
    job_name: str
    job_id: int | None
    session_id: int | None
    deed: str
    end: EndedJob | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """Where is looked, and through what is repaired."""

    sessions: SessionStore
    snapshot: SnapshotStore
    reader: ClusterReader
    control: ClusterControl


async def find_strays(sources: Sources) -> tuple[Stray, ...]:
    """Return every disagreement; asks Slurm only about what is doubtful."""
    live = sources.sessions.live()
    jobs = {
        job.name: job
        for job in sources.snapshot.live_jobs()
        if is_of_notebook(job.name)
    }
    found = [await _without_job(sources, one) for one in live if one.job_id is None]
    found += await _with_lost_job(sources, live, jobs)
    found += _without_session(live, jobs)
    return tuple(one for one in found if one is not None)


async def repair(sources: Sources, stray: Stray, now: float) -> None:
    """Put one right; a stray job is cancelled, which its caller must have asked for."""
    if stray.kind is Kind.STRAY:
        await sources.control.cancel(stray.owner, [stray.job_id or 0])
    elif stray.kind is Kind.UNNOTED:
        sources.sessions.submitted(stray.session_id or 0, stray.job_id or 0, now)
    elif stray.kind is Kind.NEVER_SUBMITTED:
        end = SessionEnd(now, Cause.STOPPED)
        sources.sessions.ended(stray.session_id or 0, end)
    elif stray.end is not None:
        end = _session_end(stray.end)
        sources.sessions.ended(stray.session_id or 0, end)


async def _without_job(sources: Sources, session: Session) -> Stray | None:
    since = session.asked_at - _CLOCK_SLACK_S
    ids = await sources.reader.find(session.owner, session.job_name, since)
    if ids:
        return _of(session, Kind.UNNOTED, ids[0], f"note job {ids[0]} as its job")
    if session.stopping is not None:
        return _of(session, Kind.NEVER_SUBMITTED, None, "note that it has ended")
    return None  # the portal asks the hub for it again


async def _with_lost_job(
    sources: Sources, live: Sequence[Session], jobs: Mapping[str, Job]
) -> list[Stray | None]:
    lost = {
        one.job_id: one
        for one in live
        if one.job_id is not None and one.job_name not in jobs
    }
    if not lost:
        return []
    ended = await sources.reader.ended(list(lost))
    return [
        _of(lost[number], Kind.OVER, number, f"note its end ({end.state})", end)
        for number, end in ended.items()
        if is_end_of(lost[number], end, _CLOCK_SLACK_S)
    ]


def _without_session(
    live: Sequence[Session], jobs: Mapping[str, Job]
) -> list[Stray | None]:
    known = {one.job_name for one in live}
    return [
        Stray(Kind.STRAY, job.user, name, job.job_id, None, "")
        for name, job in jobs.items()
        if name not in known
    ]


def _of(
    session: Session,
    kind: Kind,
    job_id: int | None,
    deed: str,
    end: EndedJob | None = None,
) -> Stray:
    return Stray(kind, session.owner, session.job_name, job_id, session.id, deed, end)


def _session_end(end: EndedJob) -> SessionEnd:
    return SessionEnd(
        end.ended_at, cause_of(end.state), word_of_record(end), end.exit_code
    )
