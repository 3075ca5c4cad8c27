"""Accounting's records: each run once, posted to the book as soon as it is another."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Connection, Engine, Table, select, update

from kqi_hub.db.accounting_tables import IntakeRow, JobRecordRow
from kqi_hub.db.bulk import fetch_all, insert_many, reserve_ids, widen_cache
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.text import to_storable
from kqi_hub.db.upsert import insert_missing
from kqi_hub.domain.accounting_ports import (
    Book,
    Progress,
    ReadRecord,
    Recorded,
    TakenIn,
)
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.own_jobs import kind_of

RECORDS: Final = cast(Table, JobRecordRow.__table__)
INTAKE: Final = cast(Table, IntakeRow.__table__)
_NAMES: Final = (
    *("id", "cluster", *JobRecord._fields),
    *("kind", "thing", "hash", "first_seen", "changed_at"),
)
_RECORD: Final = tuple(RECORDS.c[name] for name in JobRecord._fields)
_PROGRESS: Final = tuple(INTAKE.c[name] for name in Progress._fields)
_IDS_PER_QUERY: Final = 500
# By all numbers of a batch at once: 10,000 of them are one statement.
_KNOWN: Final = {
    "sqlite": "SELECT r.job_id, r.submitted_at, r.id, r.hash FROM json_each(?) AS asked"
    " CROSS JOIN job_records AS r ON r.cluster = ? AND r.job_id = asked.value",
    # OFFSET 0: one look into the index a number, whatever the planner thinks of a table
    # that has only begun to grow. It would compare each row with each number.
    "postgresql": "SELECT r.job_id, r.submitted_at, r.id, r.hash"
    " FROM unnest(%s::bigint[]) AS asked(job_id) CROSS JOIN LATERAL ("
    "SELECT * FROM job_records AS one WHERE one.job_id = asked.job_id"
    " AND one.cluster = %s OFFSET 0) AS r",
}
Known = dict[tuple[int, int], tuple[int, int]]


class SqlJobRecords:
    """A RecordStore (domain/accounting_ports.py); any thread may call it.

    A batch is one transaction together with the lines of the book. Who takes in holds
    the cluster's line of `intake`, so that nobody else does at the same time.
    """

    def __init__(self, engine: Engine, cluster: str, book: Book[Connection]) -> None:
        self._engine = engine
        self._cluster = cluster
        self._book = book

    def unknown(self, read: Sequence[ReadRecord]) -> list[ReadRecord]:
        """Return those that are not there, or are there with another hash."""
        with reading(self._engine) as connection:
            known = self._known(connection, read)
        return [one for one in read if _hash_of(known, one) != one.hash]

    def take_in(self, read: Sequence[ReadRecord], now: float) -> TakenIn:
        """Keep them and post what is new or changed, all of it or nothing."""
        with writing(self._engine) as connection:
            widen_cache(connection)
            self._hold(connection)
            known = self._known(connection, read)
            # The first two fields are the key: a million rows, no calls.
            fresh = {one.record[:2]: one for one in read}
            added = [one for key, one in fresh.items() if key not in known]
            other = {
                known[key][0]: one
                for key, one in fresh.items()
                if key in known and known[key][1] != one.hash
            }
            changed = [
                *self._add(connection, added, now),
                *self._change(connection, other, now),
            ]
            lines = self._book.post(connection, changed, now) if changed else 0
        return TakenIn(len(read), len(added), len(other), lines)

    def progress(self) -> Progress:
        """Return how far accounting has been read."""
        query = select(*_PROGRESS).where(INTAKE.c.cluster == self._cluster)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return Progress() if row is None else Progress(*row)

    def note(self, **changes: int) -> None:
        """Write down fields of Progress."""
        statement = update(INTAKE).where(INTAKE.c.cluster == self._cluster)
        with writing(self._engine) as connection:
            self._hold(connection)
            connection.execute(statement.values(**changes))

    def ended_since(self, since: int, after_id: int, limit: int) -> list[Recorded]:
        """Return runs that ended after a moment, by their numbers above one."""
        ended = RECORDS.c.ended_at > since
        return self._found(ended, RECORDS.c.id > after_id, limit=limit)

    def runs_of(self, job_id: int) -> list[Recorded]:
        """Return every run of a job's number, the oldest first."""
        return self._found(RECORDS.c.job_id == job_id)

    def _found(
        self, *only: ColumnElement[bool], limit: int | None = None
    ) -> list[Recorded]:
        query = _select().where(RECORDS.c.cluster == self._cluster, *only)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(RECORDS.c.id).limit(limit))
            return [_recorded(row) for row in rows]

    def _hold(self, connection: Connection) -> None:
        row = {"cluster": self._cluster} | dict.fromkeys(Progress._fields)
        connection.execute(insert_missing(connection, INTAKE), [row])
        line = select(INTAKE.c.cluster).where(INTAKE.c.cluster == self._cluster)
        # SQLite has no row locks and needs none: only one transaction writes.
        connection.execute(line.with_for_update())

    def _known(self, connection: Connection, read: Sequence[ReadRecord]) -> Known:
        numbers: Any = list({one.record.job_id for one in read})
        if connection.dialect.name == "sqlite":
            numbers = json.dumps(numbers)
        query = _KNOWN[connection.dialect.name]
        rows = fetch_all(connection, query, (numbers, self._cluster))
        return {(job, submitted): (id_, hash_) for job, submitted, id_, hash_ in rows}

    def _add(
        self, connection: Connection, added: Sequence[ReadRecord], now: float
    ) -> Iterator[Recorded]:
        rows, changed = [], []
        ids = reserve_ids(connection, RECORDS, len(added))
        for id_, (record, hash_) in zip(ids, added, strict=True):
            kind, thing = kind_of(record.name)
            stored = record
            if (name := to_storable(record.name)) is not record.name:
                stored = record._replace(name=name)
            word = kind.value
            rows.append((id_, self._cluster, *stored, word, thing, hash_, now, now))
            changed.append(Recorded(id_, record, word))
        insert_many(connection, RECORDS, _NAMES, rows)
        return iter(changed)

    def _change(
        self, connection: Connection, other: dict[int, ReadRecord], now: float
    ) -> Iterator[Recorded]:
        ids = list(other)
        for start in range(0, len(ids), _IDS_PER_QUERY):
            some = ids[start : start + _IDS_PER_QUERY]
            rows = connection.execute(_select().where(RECORDS.c.id.in_(some))).all()
            for row in rows:
                before = _recorded(row)
                read = other[before.id]
                kind, thing = kind_of(read.record.name)
                values = read.record._asdict() | {"kind": kind.value, "thing": thing}
                connection.execute(
                    update(RECORDS).where(RECORDS.c.id == before.id),
                    values | {"hash": read.hash, "changed_at": now},
                )
                yield Recorded(before.id, read.record, kind.value, before)


def _select() -> Any:
    return select(RECORDS.c.id, *_RECORD, RECORDS.c.kind)


def _recorded(row: Any) -> Recorded:
    id_, *fields, kind = row
    record = JobRecord(*fields)
    return Recorded(id_, record._replace(suspended=record.suspended or ""), kind)


def _hash_of(known: Known, read: ReadRecord) -> int | None:
    found = known.get(read.record[:2])
    return None if found is None else found[1]
