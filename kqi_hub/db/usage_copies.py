"""Which run a record is of, where its script was submitted by hand once more.

A record has the number in its job's name: that of the first run. Each further job of
that name is a run of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, select

from kqi_hub.db.accounting_tables import JobRecordRow
from kqi_hub.db.run_rows import RUNS
from kqi_hub.domain.own_jobs import OF_SCRIPTS, key_of

_RECORDS: Final = cast(Table, JobRecordRow.__table__).c
_R: Final = RUNS.c


def numbers_of_runs(
    connection: Connection, rows: Sequence[RowMapping]
) -> Mapping[int, int]:
    """Return the runs of records by the records' numbers, of those that have one."""
    keys = {
        row["id"]: key
        for row in rows
        if row["kind"] in OF_SCRIPTS and (key := key_of(row["name"]))
    }
    if not keys:
        return {}
    query = select(_R.key, _R.job_id, _R.number).where(_R.key.in_(set(keys.values())))
    runs = {(key, job): number for key, job, number in connection.execute(query)}
    found = {row["id"]: (keys.get(row["id"]), row["job_id"]) for row in rows}
    return {record: runs[job] for record, job in found.items() if job in runs}


def of_run(connection: Connection, number: int) -> ColumnElement[bool]:
    """Return the condition of the records of one run, not of those beside it."""
    run = connection.execute(
        select(_R.key, _R.job_id, _R.copied_from).where(_R.number == number)
    ).first()
    thing = _RECORDS.thing
    if run is None:
        return thing == number
    if run.copied_from is None:
        # Also what became of a job that Slurm forgot, which no run has any more.
        copies = select(_R.job_id).where(
            _R.key == run.key, _R.copied_from.is_not(None), _R.job_id.is_not(None)
        )
        return and_(thing == number, _RECORDS.job_id.not_in(copies))
    return and_(thing == run.copied_from, _RECORDS.job_id == run.job_id)
