"""The runs of a time that stand out, found where they lie: by the index of ends."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, func, select

from kqi_hub.db.engine import reading
from kqi_hub.db.usage_runs import (
    LEDGER,
    RECORDS,
    SqlUsedRuns,
    of_whose,
    with_sums,
)
from kqi_hub.domain.usage import UsedRun
from kqi_hub.domain.usage_counts import FAILED_STATES
from kqi_hub.domain.usage_top import Top, TopAsked

_SUMMED: Final = {Top.COST: LEDGER.c.amount, Top.FAILED_GPU: LEDGER.c.gpu_s}


class SqlRunsAndTops(SqlUsedRuns):
    """A UsedRunStore (services/usage.py) that also finds what stands out."""

    def top(self, asked: TopAsked) -> tuple[UsedRun, ...]:
        """Return the runs that stand out most, the first one first."""
        with reading(self._engine) as connection:
            return top_runs(connection, self._cluster, asked)


def top_runs(
    connection: Connection, cluster: str, asked: TopAsked
) -> tuple[UsedRun, ...]:
    """Return the runs that stand out most, the first one first."""
    ended = (
        RECORDS.c.cluster == cluster,
        RECORDS.c.ended_at >= asked.begins,
        RECORDS.c.ended_at < asked.ends,
        *of_whose(asked.whose),
    )
    query = _by_wait(ended) if asked.by is Top.WAIT else _by_sum(asked.by, ended)
    found = connection.scalars(query.limit(asked.limit)).all()
    rows = connection.execute(select(RECORDS).where(RECORDS.c.id.in_(found)))
    runs = with_sums(connection, rows.mappings().all(), None)
    by_id = {run.id: run for run in runs}
    return tuple(by_id[number] for number in found)


def _by_wait(ended: tuple[ColumnElement[bool], ...]) -> Select[Any]:
    could = func.coalesce(RECORDS.c.eligible_at, RECORDS.c.submitted_at)
    waited = RECORDS.c.started_at - could
    query = select(RECORDS.c.id).where(*ended, waited > 0)
    return query.order_by(waited.desc(), RECORDS.c.id)


def _by_sum(by: Top, ended: tuple[ColumnElement[bool], ...]) -> Select[Any]:
    total = func.sum(_SUMMED[by])
    query = (
        select(RECORDS.c.id)
        .join(LEDGER, LEDGER.c.record_id == RECORDS.c.id)
        .where(*ended)
        .group_by(RECORDS.c.id)
        .having(total > 0)
        .order_by(total.desc(), RECORDS.c.id)
    )
    if by is Top.FAILED_GPU:
        failed = RECORDS.c.state.in_(sorted(FAILED_STATES))
        query = query.where(RECORDS.c.gpus != "", failed)
    return query
