"""The book in the database: lines are added, and the sums of them with them."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Connection, Engine, Table, select

from kqi_hub.db.accounting_tables import (
    BillPositionRow,
    BillRow,
    IntakeRow,
    JobRecordRow,
    LedgerRow,
    NodeShapeRow,
    PeriodRow,
    UsageDayRow,
    UsageMonthRow,
    UsagePeakRow,
    UsageSumRow,
)
from kqi_hub.db.bulk import insert_many
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.rate_cards import cards_in
from kqi_hub.db.sums import add_to_sums, raise_peaks
from kqi_hub.db.upsert import insert_missing
from kqi_hub.db.usage_rows import cut_rows, peak_rows, position_rows, sum_rows
from kqi_hub.domain.accounting_ports import Recorded
from kqi_hub.domain.bill_positions import add_billed
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.ledger import Charge
from kqi_hub.domain.node_shapes import NodeShape, NodeShapes
from kqi_hub.domain.posting import Line, Place, Posting, Pricing, together
from kqi_hub.domain.rate_cards import Tariff
from kqi_hub.domain.site_days import Period, SiteDays

LEDGER: Final = cast(Table, LedgerRow.__table__)
BILLS: Final = cast(Table, BillRow.__table__)
CLOSED: Final = cast(Table, PeriodRow.__table__)
USAGE_DAYS: Final = cast(Table, UsageDayRow.__table__)
USAGE_MONTHS: Final = cast(Table, UsageMonthRow.__table__)
USAGE_SUMS: Final = cast(Table, UsageSumRow.__table__)
PEAKS: Final = cast(Table, UsagePeakRow.__table__)
POSITIONS: Final = cast(Table, BillPositionRow.__table__)
_RECORDS: Final = cast(Table, JobRecordRow.__table__)
_SHAPES: Final = cast(Table, NodeShapeRow.__table__)
_INTAKE: Final = cast(Table, IntakeRow.__table__)
_LINE: Final = ("cluster", *Line._fields)
_LINES: Final = tuple(LEDGER.c[name] for name in Line._fields)
_RECORD: Final = tuple(_RECORDS.c[name] for name in JobRecord._fields)
_IDS_PER_QUERY: Final = 500
_BATCH: Final = 10_000
_PAUSE_S: Final = 0.12
# So long a transaction may gather what it then writes, so many records at a time: it
# holds the only writer for about twice as long.
_ADDING_S: Final = 0.04
_STEP: Final = 100


def hold(connection: Connection, cluster: str) -> None:
    """Let nobody else post, close or publish until this transaction is over.

    Who holds the cluster's line of `intake` writes the book. SQLite has no row locks
    and needs none: only one transaction writes.
    """
    row: dict[str, Any] = dict.fromkeys(_INTAKE.c.keys()) | {"cluster": cluster}
    connection.execute(insert_missing(connection, _INTAKE), [row])
    line = select(_INTAKE.c.cluster).where(_INTAKE.c.cluster == cluster)
    connection.execute(line.with_for_update())


def closed_in(connection: Connection, cluster: str) -> frozenset[Period]:
    """Return the months that are closed."""
    query = select(CLOSED.c.period).where(CLOSED.c.cluster == cluster)
    return frozenset(connection.scalars(query))


class SqlBook:
    """A Book (domain/accounting_ports.py), under the cards that a transaction sees."""

    def __init__(
        self,
        engine: Engine,
        cluster: str,
        days: SiteDays,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._cluster = cluster
        self._days = days
        self._tariff = Tariff()

    def post(
        self, transaction: Connection, changed: Sequence[Recorded], now: float
    ) -> int:
        """Add the lines for what is new or changed; return how many."""
        posting = self._begun(transaction, now)
        _add(transaction, posting, changed)
        self._write(transaction, posting)
        return len(posting.lines)

    def repost(self, since: int | None) -> int:
        """Post again what ended after a moment, or all, under the cards of today."""
        lines, after = 0, 0
        while ids := self._ids_after(after, since):
            lines += self._repost(ids)
            after = ids[-1]
        return lines

    def _ids_after(self, after: int, since: int | None) -> Sequence[int]:
        """Return the next records that ended after a moment.

        Nothing is held meanwhile: the database may walk through all of them for that.
        """
        query = select(_RECORDS.c.id).where(
            _RECORDS.c.cluster == self._cluster, _RECORDS.c.id > after
        )
        if since is not None:
            query = query.where(_RECORDS.c.ended_at > since)
        with reading(self._engine) as connection:
            return connection.scalars(query.order_by(_RECORDS.c.id).limit(_BATCH)).all()

    def _repost(self, ids: Sequence[int]) -> int:
        """Post records again in transactions that are soon over."""
        lines = done = 0
        while done < len(ids):
            with writing(self._engine) as connection:
                posting = self._begun(connection, self._clock())
                done = self._add_for_a_while(connection, posting, ids, done)
                self._write(connection, posting)
            lines += len(posting.lines)
            # SQLite has one writer, and who waits looks ten times a second: a shorter
            # pause would be missed again and again.
            time.sleep(_PAUSE_S)
        return lines

    def pricing(self, connection: Connection) -> Pricing:
        """Return the cards and shapes that a transaction sees."""
        cards = cards_in(connection, self._cluster)
        # What a tariff remembers is kept as long as the cards are the same.
        if Tariff(cards).cards != self._tariff.cards:
            self._tariff = Tariff(cards)
        return Pricing(self._tariff, self._days, _shapes(connection, self._cluster))

    def _begun(self, transaction: Connection, now: float) -> Posting:
        """Return a posting of nothing yet, with the book held for it."""
        hold(transaction, self._cluster)
        closed = closed_in(transaction, self._cluster)
        return Posting(self.pricing(transaction), closed, now)

    def _add_for_a_while(
        self, connection: Connection, posting: Posting, ids: Sequence[int], done: int
    ) -> int:
        """Add records that may be other, and return how many of all are done then.

        Who waits to write must not wait for long, on whatever machine it is: the clock
        says when it is enough, and what is left is another transaction's.
        """
        enough = time.monotonic() + _ADDING_S
        while done < len(ids):
            runs = records_of(connection, ids[done : done + _STEP])
            _add(connection, posting, [run._replace(before=run) for run in runs])
            done += _STEP
            if time.monotonic() >= enough:
                break
        return done

    def _write(self, connection: Connection, posting: Posting) -> None:
        cluster = self._cluster
        rows = [(cluster, *line) for line in posting.lines]
        insert_many(connection, LEDGER, _LINE, rows)
        usage = posting.usage
        add_to_sums(connection, USAGE_DAYS, sum_rows(cluster, usage.by_day))
        add_to_sums(connection, USAGE_MONTHS, sum_rows(cluster, usage.by_month()))
        add_to_sums(connection, USAGE_SUMS, list(cut_rows(cluster, usage)))
        raise_peaks(connection, PEAKS, peak_rows(cluster, posting.peaks))
        add_to_sums(connection, POSITIONS, position_rows(cluster, posting.positions))
        bills = [(cluster, *key, *sums) for key, sums in posting.bills().items()]
        add_to_sums(connection, BILLS, bills)


def _add(
    transaction: Connection, posting: Posting, changed: Sequence[Recorded]
) -> None:
    # Of a new one nothing has been posted. One that had no end may have lines: of an
    # end that accounting took back, and they stand on a bill.
    known = lines_of(transaction, [run.id for run in changed if run.before is not None])
    for run in changed:
        lines = known.get(run.id)
        if lines is None:
            posting.add(run)
        else:
            posting.add(run, posted_by(lines), add_billed({}, lines))


def lines_of(connection: Connection, ids: Sequence[int]) -> Mapping[int, list[Line]]:
    """Return by record the lines that it has, the oldest first."""
    found: dict[int, list[Line]] = {}
    for start in range(0, len(ids), _IDS_PER_QUERY):
        some = ids[start : start + _IDS_PER_QUERY]
        query = select(*_LINES).where(LEDGER.c.record_id.in_(some))
        for row in connection.execute(query.order_by(LEDGER.c.id)):
            line = Line(*row)
            found.setdefault(line.record_id or 0, []).append(line)
    return found


def posted_by(lines: Sequence[Line]) -> dict[Place, Charge]:
    """Return what lines of a record come to."""
    found: dict[Place, Charge] = {}
    for line in lines:
        place = (line.tenant, line.day, line.version or 0)
        charge = Charge(
            *(line.day, line.version or 0, line.per_hour, line.seconds, line.amount),
            *(line.cpu_s, line.memory_mb_s, line.gpu_s, line.node_s),
        )
        known = found.get(place)
        found[place] = together(known, charge) if known else charge
    return found


def records_of(connection: Connection, ids: Sequence[int]) -> list[Recorded]:
    """Return records by their numbers."""
    return _records(connection, _RECORDS.c.id.in_(ids))


def records_after(
    connection: Connection, cluster: str, after_id: int
) -> list[Recorded]:
    """Return the next records by their numbers."""
    mine = (_RECORDS.c.cluster == cluster, _RECORDS.c.id > after_id)
    return _records(connection, *mine)


def _records(connection: Connection, *only: ColumnElement[bool]) -> list[Recorded]:
    query = select(_RECORDS.c.id, *_RECORD, _RECORDS.c.kind).where(*only)
    rows = connection.execute(query.order_by(_RECORDS.c.id).limit(_BATCH))
    return [_recorded(row) for row in rows]


def _recorded(row: Any) -> Recorded:
    id_, *fields, kind = row
    record = JobRecord(*fields)
    return Recorded(id_, record._replace(suspended=record.suspended or ""), kind)


def _shapes(connection: Connection, cluster: str) -> NodeShapes:
    columns = tuple(_SHAPES.c[name] for name in NodeShape._fields)
    query = select(*columns).where(_SHAPES.c.cluster == cluster)
    return NodeShapes(NodeShape(*row) for row in connection.execute(query))
