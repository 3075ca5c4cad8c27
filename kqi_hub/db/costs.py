"""What accounting and the book have of some jobs: one question for a page of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, func, select

from kqi_hub.db.accounting_tables import IntakeRow, JobRecordRow, LedgerRow
from kqi_hub.db.engine import reading
from kqi_hub.db.job_rows import jobs_of_ids
from kqi_hub.domain.costs import Booked, BookedPart, BookedRun, JobMark
from kqi_hub.domain.job import Job
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.own_jobs import kind_of

RECORDS: Final = cast(Table, JobRecordRow.__table__)
LEDGER: Final = cast(Table, LedgerRow.__table__)
_RECORD: Final = tuple(RECORDS.c[name] for name in JobRecord._fields)
_PRICE: Final = len(_RECORD) + 1
# Databases limit how many values one statement may name.
_AT_ONCE: Final = 500
T = TypeVar("T")


class SqlBooks:
    """Books (services/costs.py) of one cluster; any thread may call it."""

    def __init__(self, engine: Engine, cluster: str) -> None:
        self._engine = engine
        self._cluster = cluster

    def of_marks(self, marks: Collection[JobMark]) -> Booked:
        """Return the runs of jobs of ours, the oldest first."""
        found: dict[JobMark, list[BookedRun]] = {}
        wanted = set(marks)
        until = select(IntakeRow.read_until).where(IntakeRow.cluster == self._cluster)
        with reading(self._engine) as connection:
            for some in _chunks(sorted(wanted)):
                query = self._query(*_named(some))
                for run in _runs(connection, query):
                    record = run.record
                    mark = JobMark(record.name, record.shown_id, record.user)
                    if mark in wanted:
                        found.setdefault(mark, []).append(run)
            read_until = connection.scalar(until)
        return Booked({mark: tuple(runs) for mark, runs in found.items()}, read_until)

    def of_numbers(self, job_ids: Collection[int]) -> Mapping[int, Sequence[BookedRun]]:
        """Return the runs of each of these numbers, the oldest first."""
        found: dict[int, list[BookedRun]] = {}
        with reading(self._engine) as connection:
            for some in _chunks(sorted(set(job_ids))):
                query = self._query(RECORDS.c.job_id.in_(some))
                for run in _runs(connection, query):
                    found.setdefault(run.record.job_id, []).append(run)
        return found

    def jobs(self, job_ids: Collection[int]) -> Mapping[int, Job]:
        """Return the jobs of the picture with these numbers, ended ones too."""
        with reading(self._engine) as connection:
            found = jobs_of_ids(connection, self._cluster, job_ids)
            return {job.job_id: job for job in found}

    def _query(self, *only: ColumnElement[bool]) -> Select[Any]:
        sums = (func.sum(LEDGER.c.seconds), func.sum(LEDGER.c.amount))
        return (
            select(RECORDS.c.id, *_RECORD, LEDGER.c.per_hour, *sums)
            .select_from(RECORDS)
            .outerjoin(LEDGER, LEDGER.c.record_id == RECORDS.c.id)
            .where(RECORDS.c.cluster == self._cluster, *only)
            .group_by(RECORDS.c.id, LEDGER.c.per_hour)
            .order_by(RECORDS.c.submitted_at, RECORDS.c.id)
        )


def _named(marks: Iterable[JobMark]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of jobs of ours: an index finds what they are for."""
    names = sorted({one.name for one in marks})
    shown = sorted({one.shown_id for one in marks})
    numbers = (kind_of(name)[1] for name in names)
    things = sorted({number for number in numbers if number is not None})
    columns = RECORDS.c
    is_ours = columns.thing.in_(things)
    return is_ours, columns.name.in_(names), columns.shown_id.in_(shown)


def _runs(connection: Connection, query: Select[Any]) -> Iterator[BookedRun]:
    """Read runs, each with its parts by price, in the order of the rows."""
    found: dict[int, tuple[JobRecord, list[BookedPart]]] = {}
    for row in connection.execute(query):
        number, *fields = row[:_PRICE]
        record = JobRecord(*fields)
        record = record._replace(suspended=record.suspended or "")
        per_hour, seconds, amount = row[_PRICE:]
        _, parts = found.setdefault(number, (record, []))
        if seconds is not None:
            parts.append(BookedPart(per_hour, int(seconds), int(amount)))
    return (BookedRun(record, tuple(parts)) for record, parts in found.values())


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
