"""Months that are closed, credits and lines of the book, in the database."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from sqlalchemy import Connection, Engine, Table, func, insert, select

from kqi_hub.db.accounting_tables import IntakeRow, JobRecordRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.ledger import BILLS, CLOSED, LEDGER, USAGE_SUMS, closed_in, hold
from kqi_hub.db.ledger_proof import Prover
from kqi_hub.db.rate_cards import cards_in
from kqi_hub.db.sums import add_to_sums
from kqi_hub.db.usage_runs import entry_of
from kqi_hub.domain.errors import Conflict
from kqi_hub.domain.ledger import Entry, EntryKind
from kqi_hub.domain.ledger_ports import (
    Closed,
    Credit,
    LinesAsked,
    MonthBill,
    MonthFacts,
    MonthTotal,
    Proof,
)
from kqi_hub.domain.rate_cards import RateCard, Tariff, TenantTerms
from kqi_hub.domain.site_days import Period, SiteDays
from kqi_hub.domain.usage_cuts import Cut, Grain
from kqi_hub.domain.usage_periods import said_period

_RECORDS: Final = cast(Table, JobRecordRow.__table__)
_INTAKE: Final = cast(Table, IntakeRow.__table__)


class SqlLedger:
    """A LedgerStore (domain/ledger_ports.py) of one cluster; any thread may call it."""

    def __init__(self, engine: Engine, cluster: str, days: SiteDays) -> None:
        self._engine = engine
        self._cluster = cluster
        self._days = days

    def months(self) -> tuple[MonthTotal, ...]:
        """Return the months that have bills, the newest first."""
        sums, closed = BILLS.c, CLOSED.c
        same = (closed.cluster == sums.cluster) & (closed.period == sums.period)
        total = func.sum(sums.charged + sums.corrected + sums.credited)
        query = (
            select(
                *(sums.period, func.count(), total, func.max(closed.closed_at)),
                func.coalesce(func.max(closed.author), ""),
            )
            .select_from(BILLS.outerjoin(CLOSED, same))
            .where(sums.cluster == self._cluster)
            .group_by(sums.period)
            .order_by(sums.period.desc())
        )
        with reading(self._engine) as connection:
            return tuple(
                MonthTotal(period, tenants, int(amount), at, author)
                for period, tenants, amount, at, author in connection.execute(query)
            )

    def facts(self, period: Period) -> MonthFacts:
        """Return what is known of a month."""
        with reading(self._engine) as connection:
            return self._facts(connection, period)

    def close(
        self, known: MonthFacts, credits: Iterable[Credit], closed: Closed, notes: str
    ) -> None:
        """Close a month; Conflict if it is not as it was known any more."""
        with writing(self._engine) as connection:
            hold(connection, self._cluster)
            now = self._facts(connection, known.period)
            if now.closed is not None:
                raise _is_closed(known.period)
            if now.bills != known.bills or now.open_before != known.open_before:
                raise Conflict(
                    "The bills of {month} have changed meanwhile; it is still open.",
                    "Look at them again, then close it.",
                    month=said_period(known.period),
                )
            # After all of its lines, whatever the clock says.
            at = max(closed.at, self._last_line(connection, known.period))
            for credit in credits:
                self._add(connection, credit, at)
            row = {
                "cluster": self._cluster,
                "period": known.period,
                "closed_at": at,
                "author": closed.author,
                "notes": notes,
            }
            connection.execute(insert(CLOSED), row)

    def credit(self, credit: Credit, now: float) -> int:
        """Add a line and return its number; Conflict where the month is closed."""
        with writing(self._engine) as connection:
            hold(connection, self._cluster)
            if credit.period in closed_in(connection, self._cluster):
                raise _is_closed(credit.period)
            return self._add(connection, credit, now)

    def lines(self, asked: LinesAsked) -> tuple[Entry, ...]:
        """Return lines, the newest first."""
        query = select(LEDGER).where(LEDGER.c.cluster == self._cluster)
        for name in ("tenant", "period", "kind"):
            wanted = getattr(asked, name)
            if wanted is not None:
                query = query.where(LEDGER.c[name] == wanted)
        if asked.job is not None:
            runs = select(_RECORDS.c.id).where(
                _RECORDS.c.cluster == self._cluster, _RECORDS.c.job_id == asked.job
            )
            query = query.where(LEDGER.c.record_id.in_(runs))
        if asked.before is not None:
            query = query.where(LEDGER.c.id < asked.before)
        query = query.order_by(LEDGER.c.id.desc()).limit(asked.limit)
        with reading(self._engine) as connection:
            return tuple(map(entry_of, connection.execute(query).mappings()))

    def allowance(self, tenant: str, period: Period) -> int:
        """Return what closing an open month leaves a tenant at most; 0 once closed."""
        with reading(self._engine) as connection:
            if period in closed_in(connection, self._cluster):
                return 0
            terms = _terms(self._card(connection, period), tenant)
        return terms.allowance if terms else 0

    def tenants(self) -> frozenset[str]:
        """Return the tenants that have a bill."""
        query = select(BILLS.c.tenant).where(BILLS.c.cluster == self._cluster)
        with reading(self._engine) as connection:
            return frozenset(connection.scalars(query.distinct()))

    def prove(self, mend: bool = False) -> Proof:
        """Work out everything anew and compare; put right what differs, if wanted."""
        return Prover(self._engine, self._cluster, self._days).prove(mend)

    def _facts(self, connection: Connection, period: Period) -> MonthFacts:
        closed = self._closed(connection, period)
        bills = self._bills(connection, period)
        if closed is None:
            card = self._card(connection, period)
            bills = [_with_allowance(bill, card) for bill in bills]
        read_to = select(_INTAKE.c.filled_back_to).where(
            _INTAKE.c.cluster == self._cluster
        )
        return MonthFacts(
            period,
            tuple(bills),
            closed,
            self._running(connection, period),
            self._unpriced_s(connection, period),
            self._open_before(connection, period),
            connection.scalar(read_to),
        )

    def _card(self, connection: Connection, period: Period) -> RateCard | None:
        """Return the card at the end of a month: allowances are those of it."""
        tariff = Tariff(cards_in(connection, self._cluster))
        return tariff.at(self._days.month_ends(period) - 1)

    def _closed(self, connection: Connection, period: Period) -> Closed | None:
        query = select(CLOSED.c.closed_at, CLOSED.c.author).where(
            CLOSED.c.cluster == self._cluster, CLOSED.c.period == period
        )
        row = connection.execute(query).first()
        return None if row is None else Closed(*row)

    def _bills(self, connection: Connection, period: Period) -> list[MonthBill]:
        sums = BILLS.c
        query = select(sums.tenant, sums.charged, sums.corrected, sums.credited).where(
            sums.cluster == self._cluster, sums.period == period
        )
        rows = connection.execute(query.order_by(sums.tenant))
        return [MonthBill(*row) for row in rows]

    def _last_line(self, connection: Connection, period: Period) -> float:
        query = select(func.coalesce(func.max(LEDGER.c.at), 0.0)).where(
            LEDGER.c.cluster == self._cluster, LEDGER.c.period == period
        )
        return float(connection.execute(query).scalar_one())

    def _running(self, connection: Connection, period: Period) -> int:
        query = select(func.count()).where(
            _RECORDS.c.cluster == self._cluster,
            _RECORDS.c.ended_at.is_(None),
            _RECORDS.c.started_at < self._days.month_ends(period),
        )
        return connection.execute(query).scalar_one()

    def _unpriced_s(self, connection: Connection, period: Period) -> int:
        sums = USAGE_SUMS.c
        query = select(func.coalesce(func.sum(sums.unpriced_s), 0)).where(
            sums.cluster == self._cluster,
            sums.cut == Cut.TOTAL.value,
            sums.grain == Grain.MONTH.value,
            sums.at == period,
        )
        return int(connection.execute(query).scalar_one())

    def _open_before(
        self, connection: Connection, period: Period
    ) -> tuple[Period, ...]:
        sums, closed = BILLS.c, closed_in(connection, self._cluster)
        query = select(sums.period).where(
            sums.cluster == self._cluster,
            sums.period < period,
            (sums.charged != 0) | (sums.corrected != 0) | (sums.credited != 0),
        )
        found = connection.scalars(query.distinct().order_by(sums.period))
        return tuple(one for one in found if one not in closed)

    def _add(self, connection: Connection, credit: Credit, now: float) -> int:
        row: dict[str, Any] = credit._asdict() | {
            "cluster": self._cluster,
            "kind": EntryKind.CREDIT.value,
            "at": now,
        }
        row |= dict.fromkeys(("seconds", "cpu_s", "memory_mb_s", "gpu_s", "node_s"), 0)
        added = connection.execute(insert(LEDGER).returning(LEDGER.c.id), row)
        bill: Sequence[Any] = (self._cluster, credit.period, credit.tenant, 0, 0)
        add_to_sums(connection, BILLS, [(*bill, credit.amount)])
        return int(added.scalar_one())


def _with_allowance(bill: MonthBill, card: RateCard | None) -> MonthBill:
    terms = _terms(card, bill.tenant)
    owed = max(0, bill.charged + bill.corrected)
    return bill._replace(allowance=min(terms.allowance, owed)) if terms else bill


def _terms(card: RateCard | None, tenant: str) -> TenantTerms | None:
    return card.tenants.get(tenant) if card else None


def _is_closed(period: Period) -> Conflict:
    return Conflict(
        "{month} is closed: nothing is written on its bills any more.",
        "Give a credit on the bill of an open month.",
        month=said_period(period),
    )
