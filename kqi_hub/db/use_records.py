"""What is compared with Slurm: our records and book; and what a comparison found."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from sqlalchemy import Engine, Table, func, or_, select

from kqi_hub.db.accounting_tables import IntakeRow, JobRecordRow, UsageDayRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.db.upsert import upsert
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.reconciliation import (
    AccountUse,
    Cause,
    Difference,
    Reconciliation,
    Use,
    to_json,
)
from kqi_hub.domain.site_days import Day

_RECORDS: Final = cast(Table, JobRecordRow.__table__)
_INTAKE: Final = cast(Table, IntakeRow.__table__)
_DAYS: Final = cast(Table, UsageDayRow.__table__)
_FIELDS: Final = tuple(_RECORDS.c[name] for name in JobRecord._fields)
_SUMS: Final = tuple(_DAYS.c[name] for name in Use._fields)


class SqlRecordedUse:
    """A RecordedUse (domain/reconciliation.py) of one cluster; any thread may call."""

    def __init__(self, engine: Engine, cluster: str) -> None:
        self._engine = engine
        self._cluster = cluster
        self._picture = SqlSnapshotStore(engine, cluster)

    def records(self, since: int, until: int) -> Sequence[JobRecord]:
        """Return the runs that existed at some time in between."""
        columns = _RECORDS.c
        # The end is what the index knows: of a month's runs few began long before.
        query = select(*_FIELDS).where(
            columns.cluster == self._cluster,
            or_(columns.ended_at.is_(None), columns.ended_at > since),
            columns.started_at < until,
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [_record(row) for row in rows]

    def booked(self, day: Day) -> Mapping[str, Use]:
        """Return what the book has for a local day, by tenant."""
        sums = [func.sum(column) for column in _SUMS]
        query = (
            select(_DAYS.c.tenant, *sums)
            .where(_DAYS.c.cluster == self._cluster, _DAYS.c.day == day)
            .group_by(_DAYS.c.tenant)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        # PostgreSQL's sums of big integers are decimals.
        return {tenant: Use(*map(int, found)) for tenant, *found in rows}

    def read_until(self) -> int:
        """Return until when accounting has been read."""
        query = select(_INTAKE.c.read_until).where(_INTAKE.c.cluster == self._cluster)
        with reading(self._engine) as connection:
            return connection.execute(query).scalar() or 0

    def filled_back_to(self) -> int | None:
        """Return from when on the history is whole; None as long as none is."""
        mine = _INTAKE.c.cluster == self._cluster
        query = select(_INTAKE.c.filled_back_to).where(mine)
        with reading(self._engine) as connection:
            return connection.execute(query).scalar()

    def live(self) -> frozenset[int]:
        """Return the numbers of the jobs that the controller knows."""
        return frozenset(job.job_id for job in self._picture.live_jobs())

    def keep(self, found: Reconciliation) -> None:
        """Keep what a comparison found, for operators and the doctor."""
        row = {
            "cluster": self._cluster,
            "reconciled_at": found.at,
            "reconciliation": json.dumps(to_json(found)),
        }
        others = [c.name for c in _INTAKE.columns if c.name not in row]
        with writing(self._engine) as connection:
            statement = upsert(connection, _INTAKE, keep=others)
            connection.execute(statement, row | dict.fromkeys(others))

    def kept(self) -> Reconciliation | None:
        """Return what the last comparison found."""
        query = select(_INTAKE.c.reconciliation)
        with reading(self._engine) as connection:
            mine = query.where(_INTAKE.c.cluster == self._cluster)
            text = connection.execute(mine).scalar()
        return None if text is None else _from_json(json.loads(text))


def _from_json(data: Mapping[str, Any]) -> Reconciliation:
    causes = {Cause(one["cause"]): one for one in data["causes"]}
    return Reconciliation(
        since=data["since"],
        until=data["until"],
        at=data["at"],
        accounts=tuple(map(_account, data["accounts"])),
        causes={cause: Use(**one["use"]) for cause, one in causes.items()},
        counts={cause: one["count"] for cause, one in causes.items()},
        named=tuple(
            Difference(**one | {"cause": Cause(one["cause"]), "use": Use(**one["use"])})
            for one in data["named"]
        ),
        unexplained=Use(**data["unexplained"]),
    )


def _account(one: Mapping[str, Any]) -> AccountUse:
    rolled = one["rolled_up"]
    return AccountUse(
        one["account"],
        Use(**one["ours"]),
        Use(**one["slurm"]),
        None if rolled is None else Use(**rolled),
    )


def _record(row: Any) -> JobRecord:
    record = JobRecord(*row)
    return record._replace(suspended=record.suspended or "")
