"""Jobs of notebooks that no session has: found in the picture, nobody is asked.

There are none unless a database was put back, or somebody else used such a name.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.job import Job
from kqi_hub.domain.notebook_ports import SessionStore
from kqi_hub.domain.notebooks import SERVER_PREFIX, Notebook, Session
from kqi_hub.services.board import Picture

# A job is on its way, or out of the picture at the next look: no stray yet.
GRACE_S: Final = 300.0
_OURS: Final = re.compile(rf"{SERVER_PREFIX}([1-9][0-9]*)-[a-z2-7]{{26}}", re.ASCII)


class LivePicture(Protocol):
    """What the worker has stored. Every method blocks."""

    def freshness(self) -> Freshness:
        """Return how old it is."""

    def live_jobs(self, user: str | None = None) -> tuple[Job, ...]:
        """Return the jobs that have not ended."""


def is_of_notebook(name: str) -> bool:
    """Tell whether a job has such a name as the portal gives those of notebooks."""
    return _OURS.fullmatch(name) is not None


def stray_jobs(sessions: SessionStore, picture: LivePicture) -> tuple[Job, ...]:
    """Return those of everybody. Blocks, and reads every live job: call it seldom."""
    taken_at = picture.freshness().taken_at
    if taken_at is None:
        return ()
    jobs = [job for job in picture.live_jobs() if is_of_notebook(job.name)]
    if not jobs:
        return ()
    known = (*sessions.live(), *sessions.changed_since(taken_at - GRACE_S))
    return tuple(_unknown(jobs, known, taken_at))


def strays_of(
    notebook: Notebook, past: Sequence[Session], picture: Picture
) -> tuple[Job, ...]:
    """Return those of one notebook, which its owner is told of."""
    taken_at = picture.freshness.taken_at
    if taken_at is None:
        return ()
    mine = [
        job
        for job in picture.jobs
        if job.user == notebook.owner and _number_in(job.name) == str(notebook.id)
    ]
    since = taken_at - GRACE_S
    known = [one for one in past if one.is_live or one.changed_at >= since]
    return tuple(_unknown(mine, known, taken_at))


def _unknown(
    jobs: Iterable[Job], known: Iterable[Session], taken_at: float
) -> Iterator[Job]:
    names = {one.job_name for one in known}
    for job in jobs:
        is_young = (job.submitted_at or 0) > taken_at - GRACE_S
        if job.name not in names and not is_young:
            yield job


def _number_in(name: str) -> str:
    found = _OURS.fullmatch(name)
    return found[1] if found else ""
