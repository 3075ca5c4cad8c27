"""Jobs that the picture knows to have ended, and the book does not have yet."""

from typing import Final

from sqlalchemy import Connection, exists, select

from kqi_hub.db.accounting_tables import IntakeRow, JobRecordRow
from kqi_hub.db.job_rows import JOBS, ended_jobs
from kqi_hub.domain.job import Job

# Accounting is read for two days back each time; what it does not tell of a while after
# an end, it will not tell.
_LATE_S: Final = 7200


def unbooked_jobs(connection: Connection, cluster: str, now: float) -> list[Job]:
    """Return the jobs between their end and the next reading of accounting.

    A run is known by its number and its start: one that went back into its queue has
    several.
    """
    read = select(IntakeRow.read_until).where(IntakeRow.cluster == cluster)
    read_until = connection.scalar(read)
    since = min(now, now if read_until is None else read_until) - _LATE_S
    booked = exists().where(
        JobRecordRow.cluster == cluster,
        JobRecordRow.job_id == JOBS.c.job_id,
        JobRecordRow.started_at == JOBS.c.starts_at,
        JobRecordRow.ended_at.is_not(None),
    )
    return list(ended_jobs(connection, cluster, since, ~booked))
