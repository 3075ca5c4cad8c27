"""Write and read the jobs of the picture."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final, TypeVar, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    bindparam,
    case,
    delete,
    literal_column,
    select,
    update,
)

from kqi_hub.db.tables import JobRow
from kqi_hub.db.upsert import upsert
from kqi_hub.domain.job import EndedJob, Job

JOBS: Final = cast(Table, JobRow.__table__)
_FIELDS: Final = tuple(field.name for field in fields(Job))
_VALUES: Final = attrgetter(*_FIELDS)
_COLUMNS: Final = tuple(JOBS.c[name] for name in _FIELDS)
# Slurm's answer has no exit code: what accounting said of this very end stays.
_KEPT_ENDS: Final = {
    name: case((JOBS.c.ends_at == literal_column("excluded.ends_at"), JOBS.c[name]))
    for name in ("exit_code", "signal")
}
# Databases limit how many values one statement may name.
_CHUNK: Final = 500
T = TypeVar("T")


class JobRows:
    """The jobs of one cluster, in one transaction that writes one picture."""

    def __init__(
        self, connection: Connection, cluster: str, sequence: int, taken_at: float
    ) -> None:
        self._connection = connection
        self._cluster = cluster
        self._sequence = sequence
        self._taken_at = taken_at

    def write(self, jobs: Sequence[Job]) -> None:
        """Insert or update jobs as the controller lists them."""
        if not jobs:
            return
        statement = upsert(
            self._connection, JOBS, keep=("first_seen",), instead=_KEPT_ENDS
        )
        # 10,000 rows as dictionaries are 25 MB: make them a few at a time.
        for chunk in _chunks(tuple(jobs)):
            self._connection.execute(statement, [self._row(job) for job in chunk])

    def mark_gone(self, job_ids: Sequence[int]) -> None:
        """Note that the controller no longer lists live jobs, and nothing else."""
        if job_ids:
            statement = self._named_update().values(gone_since=self._taken_at)
            self._connection.execute(statement, [{"id_": i} for i in job_ids])

    def write_ended(self, jobs: Sequence[tuple[Job, EndedJob]]) -> None:
        """Record the end of jobs that only accounting still knows."""
        for job, end in jobs:
            row = self._row(job)
            row |= {
                "over_since": min(end.ended_at, self._taken_at),
                "exit_code": end.exit_code,
                "signal": end.signal,
            }
            for fixed in ("cluster", "job_id", "first_seen"):
                del row[fixed]
            self._connection.execute(
                self._named_update().values(row), {"id_": job.job_id}
            )

    def purge(self, before: float, most: int) -> tuple[int, ...]:
        """Delete at most `most` jobs that were over before a time; return their ids."""
        query = (
            select(JOBS.c.job_id)
            .where(JOBS.c.cluster == self._cluster, JOBS.c.over_since < before)
            .order_by(JOBS.c.over_since)
            .limit(most)
        )
        found = tuple(self._connection.scalars(query))
        for chunk in _chunks(found):
            chosen = JOBS.c.job_id.in_(chunk)
            self._connection.execute(
                delete(JOBS).where(JOBS.c.cluster == self._cluster, chosen)
            )
        return found

    def _named_update(self) -> Any:
        return update(JOBS).where(
            JOBS.c.cluster == self._cluster, JOBS.c.job_id == bindparam("id_")
        )

    def _row(self, job: Job) -> dict[str, Any]:
        row = dict(zip(_FIELDS, _VALUES(job), strict=True))
        row |= {
            "cluster": self._cluster,
            "exit_code": None,
            "signal": None,
            "first_seen": self._taken_at,
            "over_since": self._over_since(job),
            "gone_since": None,
            "changed_in": self._sequence,
        }
        return row

    def _over_since(self, job: Job) -> float | None:
        if not job.is_over:
            return None
        return (
            self._taken_at if job.ends_at is None else min(job.ends_at, self._taken_at)
        )


def live_jobs(connection: Connection, cluster: str, user: str | None) -> Iterator[Job]:
    """Read the jobs that have not ended, in the order of their ids."""
    query = _select(cluster, user).where(JOBS.c.over_since.is_(None))
    return _read(connection, query.order_by(JOBS.c.job_id))


def ended_jobs(
    connection: Connection, cluster: str, since: float, *only: ColumnElement[bool]
) -> Iterator[Job]:
    """Read the jobs that have begun, and ended after a moment."""
    ended = (JOBS.c.over_since >= since, JOBS.c.starts_at.is_not(None), *only)
    return _read(connection, _select(cluster, None).where(*ended))


def newest_jobs(
    connection: Connection,
    cluster: str,
    user: str | None,
    limit: int,
    below: int | None,
) -> Iterator[Job]:
    """Read jobs newest first, ended ones included, with ids under `below`."""
    query = _select(cluster, user)
    if below is not None:
        query = query.where(JOBS.c.job_id < below)
    return _read(connection, query.order_by(JOBS.c.job_id.desc()).limit(limit))


def jobs_of_ids(
    connection: Connection, cluster: str, job_ids: Collection[int]
) -> Iterator[Job]:
    """Read the jobs that are there, of those asked for."""
    for chunk in _chunks(tuple(job_ids)):
        chosen = JOBS.c.job_id.in_(chunk)
        yield from _read(connection, _select(cluster, None).where(chosen))


def exit_codes_of(
    connection: Connection, cluster: str, job_ids: Collection[int]
) -> Iterator[tuple[int, int]]:
    """Read what is known of how jobs ended: 128 and its number for a signal."""
    for chunk in _chunks(tuple(job_ids)):
        query = select(JOBS.c.job_id, JOBS.c.exit_code, JOBS.c.signal).where(
            JOBS.c.cluster == cluster,
            JOBS.c.job_id.in_(chunk),
            JOBS.c.over_since.is_not(None),
            JOBS.c.exit_code.is_not(None),
        )
        for job_id, code, signal in connection.execute(query):
            yield job_id, code or (128 + signal if signal else 0)


def jobs_of_names(
    connection: Connection, cluster: str, names: Collection[str]
) -> Iterator[Job]:
    """Read the jobs of these names, which no index finds: ask seldom."""
    for chunk in _chunks(tuple(names)):
        chosen = JOBS.c.name.in_(chunk)
        yield from _read(connection, _select(cluster, None).where(chosen))


def live_ids(connection: Connection, cluster: str, gone: bool = False) -> Iterable[int]:
    """Read the ids of the jobs that have not ended, or only of those marked gone."""
    query = select(JOBS.c.job_id).where(
        JOBS.c.cluster == cluster, JOBS.c.over_since.is_(None)
    )
    if gone:
        query = query.where(JOBS.c.gone_since.is_not(None))
    return connection.scalars(query)


def _select(cluster: str, user: str | None) -> Select[Any]:
    query = select(*_COLUMNS).where(JOBS.c.cluster == cluster)
    return query if user is None else query.where(JOBS.c.user == user)


def _read(connection: Connection, query: Select[Any]) -> Iterator[Job]:
    return (Job(*row) for row in connection.execute(query))


def _chunks(items: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
