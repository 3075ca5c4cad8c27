"""Prove the book: every line from its record, every sum from its lines."""

import json
from collections.abc import Iterator, Mapping
from operator import lt
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, delete, func, select

from kqi_hub.db.engine import reading, writing
from kqi_hub.db.ledger import (
    BILLS,
    CLOSED,
    LEDGER,
    PEAKS,
    POSITIONS,
    USAGE_DAYS,
    USAGE_MONTHS,
    USAGE_SUMS,
    SqlBook,
    hold,
    lines_of,
    posted_by,
    records_after,
)
from kqi_hub.db.sums import add_to_sums
from kqi_hub.db.usage_rows import cut_rows, peak_rows, position_rows, sum_rows
from kqi_hub.domain.accounting_ports import Recorded
from kqi_hub.domain.bill_positions import BillPositions, add_billed
from kqi_hub.domain.charges import charges
from kqi_hub.domain.ledger_ports import Fault, Proof
from kqi_hub.domain.posting import Posted, Pricing, differences
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.domain.usage_counts import UsageCounts
from kqi_hub.domain.usage_peaks import UsagePeaks

_MOST_SHOWN: Final = 100
Rows = Mapping[tuple[Any, ...], tuple[int, ...]]


class Prover:
    """Works out a cluster's book anew; what differs is told, or put right."""

    def __init__(self, engine: Engine, cluster: str, days: SiteDays) -> None:
        self._engine = engine
        self._cluster = cluster
        self._days = days
        self._book = SqlBook(engine, cluster, days)
        self._wrong = 0
        self._faults: list[Fault] = []

    def prove(self, mend: bool = False) -> Proof:
        """Compare everything, as one moment of the database has it."""
        if mend:
            self._mend_lines()
        opened = writing if mend else reading
        with opened(self._engine) as connection:
            if mend:
                hold(connection, self._cluster)
            records, usage, peaks, positions = self._prove_lines(connection)
            sums = self._sums(connection, usage, positions)
            for table, wanted in sums.items():
                if self._prove_table(connection, table, wanted) and mend:
                    self._rewrite(connection, table, wanted)
            highest = _by_key(PEAKS, peak_rows(self._cluster, peaks))
            self._prove_peaks(connection, highest)
            if mend:
                self._rewrite(connection, PEAKS, highest)
            self._prove_closed(connection, sums[BILLS])
            count = select(func.count()).where(LEDGER.c.cluster == self._cluster)
            lines = connection.execute(count).scalar_one()
        return Proof(records, lines, self._wrong, tuple(self._faults), mend)

    def _prove_lines(
        self, connection: Connection
    ) -> tuple[int, UsageCounts, UsagePeaks, BillPositions]:
        """Compare lines with records, and sum them up by day and bill."""
        usage, peaks = UsageCounts(self._days), UsagePeaks()
        positions, records = BillPositions(), 0
        pricing = self._book.pricing(connection)
        for runs in _batches(connection, self._cluster):
            records += len(runs)
            known = lines_of(connection, [run.id for run in runs])
            for run in runs:
                lines = known.get(run.id, [])
                posted = posted_by(lines)
                if ended := usage.add(run, posted.values()):
                    peaks.add(ended, run.record, posted.values())
                positions.add(run, add_billed({}, lines))
                for fault in _line_faults(run, pricing, posted):
                    self._tell(fault)
        return records, usage, peaks, positions

    def _sums(
        self, connection: Connection, usage: UsageCounts, positions: BillPositions
    ) -> dict[Table, Rows]:
        days = _by_key(USAGE_DAYS, sum_rows(self._cluster, usage.by_day))
        months = _by_key(USAGE_MONTHS, sum_rows(self._cluster, usage.by_month()))
        return {
            USAGE_DAYS: days,
            USAGE_MONTHS: months,
            USAGE_SUMS: _by_key(USAGE_SUMS, cut_rows(self._cluster, usage)),
            POSITIONS: _by_key(POSITIONS, position_rows(self._cluster, positions)),
            BILLS: self._bills(connection),
        }

    def _bills(self, connection: Connection) -> Rows:
        columns = LEDGER.c
        places = {"charge": 0, "correction": 1, "credit": 2}
        by = (columns.period, columns.tenant, columns.kind)
        query = select(*by, func.sum(columns.amount)).where(
            columns.cluster == self._cluster
        )
        found: dict[tuple[Any, ...], list[int]] = {}
        for period, tenant, kind, amount in connection.execute(query.group_by(*by)):
            sums = found.setdefault((self._cluster, period, tenant), [0, 0, 0])
            sums[places[kind]] += int(amount)
        return {key: tuple(sums) for key, sums in found.items()}

    def _prove_table(self, connection: Connection, table: Table, wanted: Rows) -> bool:
        """Compare kept sums with those of the lines; tell whether any differs."""
        kept, before = self._kept(connection, table), self._wrong
        none = (0,) * _width(table)
        for key in sorted({*kept, *wanted}):
            has, should = kept.get(key, none), wanted.get(key, none)
            if has != should:
                self._tell(_sum_fault(table, key, has, should))
        return self._wrong > before

    def _prove_peaks(self, connection: Connection, wanted: Rows) -> None:
        """Find peaks below a run: that one would not be found. Above is allowed."""
        kept, none = self._kept(connection, PEAKS), (0,) * _width(PEAKS)
        for key, should in sorted(wanted.items()):
            has = kept.get(key, none)
            if any(map(lt, has, should)):
                self._tell(_sum_fault(PEAKS, key, has, should))

    def _kept(self, connection: Connection, table: Table) -> Rows:
        query = select(table).where(table.c.cluster == self._cluster)
        return _by_key(table, (tuple(row) for row in connection.execute(query)))

    def _prove_closed(self, connection: Connection, bills: Rows) -> None:
        """Compare bills of closed months with what they were when that was done."""
        query = select(CLOSED.c.period, CLOSED.c.notes).where(
            CLOSED.c.cluster == self._cluster
        )
        for period, notes in connection.execute(query.order_by(CLOSED.c.period)):
            was: dict[str, int] = json.loads(notes).get("bills", {})
            now = {key[2]: sum(sums) for key, sums in bills.items() if key[1] == period}
            for tenant in sorted({*was, *now}):
                has, should = now.get(tenant, 0), was.get(tenant, 0)
                if has != should:
                    where = f"closed {period}, tenant {tenant}"
                    self._tell(Fault("closed", where, str(has), str(should)))

    def _rewrite(self, connection: Connection, table: Table, wanted: Rows) -> None:
        connection.execute(delete(table).where(table.c.cluster == self._cluster))
        rows = [(*key, *sums) for key, sums in wanted.items()]
        add_to_sums(connection, table, rows)

    def _mend_lines(self) -> None:
        """Post again what is other than its record, batch by batch."""
        self._book.repost(None)

    def _tell(self, fault: Fault) -> None:
        self._wrong += 1
        if len(self._faults) < _MOST_SHOWN:
            self._faults.append(fault)


def _batches(connection: Connection, cluster: str) -> Iterator[list[Recorded]]:
    after = 0
    while runs := records_after(connection, cluster, after):
        yield runs
        after = runs[-1].id


def _line_faults(run: Recorded, pricing: Pricing, posted: Posted) -> Iterator[Fault]:
    wanted = charges(run.record, *pricing)
    for _, tenant, one in differences(run.record.account, wanted, posted):
        where = f"job {run.record.shown_id}, record {run.id}, tenant {tenant}"
        known = posted.get((tenant, one.day, one.version))
        found = (known.amount, known.seconds) if known else (0, 0)
        should = (found[0] + one.amount, found[1] + one.seconds)
        yield Fault("lines", where, f"{found}", f"{should}")


def _sum_fault(
    table: Table, key: tuple[Any, ...], has: tuple[int, ...], should: tuple[int, ...]
) -> Fault:
    where = f"{table.name} {', '.join(map(str, key[1:]))}"
    return Fault("sum", where, str(has), str(should))


def _by_key(table: Table, rows: Any) -> Rows:
    width = len(table.primary_key.columns)
    return {row[:width]: row[width:] for row in rows if any(row[width:])}


def _width(table: Table) -> int:
    return len(table.columns) - len(table.primary_key.columns)
