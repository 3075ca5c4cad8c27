"""Ended jobs that accounting tells of, among those of the picture."""

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, Engine, bindparam, func, select, update

from kqi_hub.db.engine import writing
from kqi_hub.db.job_rows import JOBS
from kqi_hub.db.upsert import insert_missing
from kqi_hub.domain.job import EndedJob, Job

_NAMES: Final = tuple(field.name for field in fields(Job))
_VALUES: Final = attrgetter(*_NAMES)
# One transaction holds others up no longer than this takes.
_BITE: Final = 500


class SqlJobHistory:
    """A HistoryStore (services/job_history.py); any thread may call it.

    The picture's own rows stay as they are, but for exit codes: that a live job has
    ended is for the picture to say, which asks accounting about that very job.
    """

    def __init__(self, engine: Engine, cluster: str) -> None:
        self._engine = engine
        self._cluster = cluster

    def add_ended(self, jobs: Sequence[tuple[Job, EndedJob]]) -> int:
        """Add those that are not there, complete those that are; tell how many new."""
        return sum(
            self._add(jobs[start : start + _BITE])
            for start in range(0, len(jobs), _BITE)
        )

    def _add(self, jobs: Sequence[tuple[Job, EndedJob]]) -> int:
        with writing(self._engine) as connection:
            before = self._count(connection, jobs)
            rows = [self._row(job, end) for job, end in jobs]
            connection.execute(insert_missing(connection, JOBS), rows)
            connection.execute(self._completion(), [_end_of(e) for _, e in jobs])
            return self._count(connection, jobs) - before

    def _count(
        self, connection: Connection, jobs: Sequence[tuple[Job, EndedJob]]
    ) -> int:
        ids = [job.job_id for job, _ in jobs]
        query = select(func.count()).where(
            JOBS.c.cluster == self._cluster, JOBS.c.job_id.in_(ids)
        )
        return int(connection.scalar(query) or 0)

    def _completion(self) -> Any:
        """Return what adds the exit code to the row of this very end."""
        return (
            update(JOBS)
            .where(
                JOBS.c.cluster == self._cluster,
                JOBS.c.job_id == bindparam("id_"),
                JOBS.c.ends_at == bindparam("ended_"),
                JOBS.c.over_since.is_not(None),
                JOBS.c.exit_code.is_(None),
            )
            .values(exit_code=bindparam("code_"), signal=bindparam("signal_"))
        )

    def _row(self, job: Job, end: EndedJob) -> dict[str, Any]:
        return dict(zip(_NAMES, _VALUES(job), strict=True)) | {
            "cluster": self._cluster,
            "exit_code": end.exit_code,
            "signal": end.signal,
            "first_seen": float(end.ended_at),
            "over_since": float(end.ended_at),
            "gone_since": None,
            "changed_in": 0,
        }


def _end_of(end: EndedJob) -> dict[str, object]:
    return {
        "id_": end.job_id,
        "ended_": end.ended_at,
        "code_": end.exit_code,
        "signal_": end.signal,
    }
