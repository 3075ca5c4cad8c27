"""What runs of the portal measured of themselves, added up."""

from typing import Final

from sqlalchemy import Connection, select

from kqi_hub.db.run_tables import RunRow, RunSpecRow
from kqi_hub.domain.usage import Measured, Narrowing

# The newest of them say enough; each is read from its JSON.
_MOST: Final = 2000
_PERCENT: Final = 100


def measured(
    connection: Connection, whose: Narrowing, begins: int, ends: int
) -> Measured:
    """Return what runs that ended in a time had, and what of it was in use."""
    query = (
        select(RunRow.use, RunSpecRow.spec)
        .join(RunSpecRow, RunSpecRow.run == RunRow.number)
        .where(RunRow.ended_at >= begins, RunRow.ended_at < ends)
        .where(RunRow.use.is_not(None))
        .order_by(RunRow.number.desc())
        .limit(_MOST)
    )
    if whose.tenants is not None:
        query = query.where(RunRow.tenant.in_(whose.tenants))
    for column, value in (
        (RunRow.owner, whose.person),
        (RunRow.queue, whose.queue),
        (RunRow.kind, whose.kind),
    ):
        if value:
            query = query.where(column == value)
    found = Measured()
    for use, spec in connection.execute(query):
        if use is not None:
            gpus = spec.shape.gpus if use.gpu_percent_mean is not None else 0
            share = min(1.0, (use.gpu_percent_mean or 0.0) / _PERCENT)
            found = Measured(
                found.runs + 1,
                found.cpu_used_s + use.cpu_s,
                found.cpu_had_s + use.seconds * spec.shape.cpus,
                found.gpu_used_s + use.seconds * gpus * share,
                found.gpu_had_s + use.seconds * gpus,
            )
    return found
