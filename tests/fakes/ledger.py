"""The book's store in memory: months, credits, lines; and the service over it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from kqi_hub.domain.accounting_ports import TakenIn
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
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.site_days import Period, SiteDays
from kqi_hub.services.ledger import Ledger
from tests.fakes.login import FakeAuditLog

NOW = 1_795_000_000.0  # the 18th of November 2026
OCTOBER, NOVEMBER = 202610, 202611


@dataclass
class FakeLedger:
    """A LedgerStore; `read` are the months that were read from Slurm once more."""

    bills: dict[Period, list[MonthBill]] = field(default_factory=dict)
    closed: dict[Period, Closed] = field(default_factory=dict)
    book: list[Entry] = field(default_factory=list)
    notes: dict[Period, str] = field(default_factory=dict)
    read: list[Period] = field(default_factory=list)
    audit: FakeAuditLog = field(default_factory=FakeAuditLog)
    filled_back_to: int | None = 0
    running: int = 0
    # What reading a month once more changes in it.
    late: dict[Period, MonthBill] = field(default_factory=dict)
    proof: Proof = field(default_factory=lambda: Proof(0, 0, 0, ()))

    def furnish(self) -> None:
        """Give two tenants bills of October, and of November so far."""
        self.closed.clear()
        self.book.clear()
        self.bills = {
            OCTOBER: [
                MonthBill("speech", 70 * MICRO, 0, 0),
                MonthBill("vision", 1_200 * MICRO + 5, -3 * MICRO, 0, 50 * MICRO),
            ],
            NOVEMBER: [MonthBill("vision", 9 * MICRO, 0, 0)],
        }

    def service(self) -> Ledger:
        """Return the service over it, on the 18th of November 2026."""

        async def read_month(period: Period) -> TakenIn:
            await asyncio.sleep(0)
            self.read.append(period)
            if (bill := self.late.pop(period, None)) is not None:
                self.bills.setdefault(period, []).append(bill)
            return TakenIn(1_000, 2, 1, 3)

        tenants = ("speech", "vision")
        return Ledger(
            self, SiteDays(), self.audit, lambda: tenants, read_month, lambda: NOW
        )

    def months(self) -> tuple[MonthTotal, ...]:
        found = []
        for period in sorted(self.bills, reverse=True):
            closed = self.closed.get(period)
            bills = self.bills[period]
            total = sum(one.charged + one.corrected + one.credited for one in bills)
            about = (closed.at, closed.author) if closed else (None, "")
            found.append(MonthTotal(period, len(bills), total, *about))
        return tuple(found)

    def facts(self, period: Period) -> MonthFacts:
        before = tuple(
            one for one in sorted(self.bills) if one < period and one not in self.closed
        )
        closed = self.closed.get(period)
        bills = self.bills.get(period, [])
        if closed:
            bills = [one._replace(allowance=0) for one in bills]
        return MonthFacts(
            period,
            tuple(bills),
            closed,
            self.running,
            open_before=before,
            filled_back_to=self.filled_back_to,
        )

    def close(
        self, known: MonthFacts, credits: Iterable[Credit], closed: Closed, notes: str
    ) -> None:
        if replace(self.facts(known.period)) != known:
            raise Conflict("The bills have changed meanwhile.")
        for credit in credits:
            self.credit(credit, closed.at)
        self.closed[known.period] = closed
        self.notes[known.period] = notes

    def credit(self, credit: Credit, now: float) -> int:
        if credit.period in self.closed:
            raise Conflict("The month is closed.")
        bills = self.bills.setdefault(credit.period, [])
        known = next((one for one in bills if one.tenant == credit.tenant), None)
        if known is None:
            known = MonthBill(credit.tenant, 0, 0, 0)
            bills.append(known)
        place = bills.index(known)
        bills[place] = known._replace(credited=known.credited + credit.amount)
        number = len(self.book) + 1
        self.book.append(
            Entry(
                number,
                EntryKind.CREDIT,
                credit.tenant,
                credit.period,
                credit.day,
                credit.amount,
                now,
                credit.author,
                credit.reason,
            )
        )
        return number

    def lines(self, asked: LinesAsked) -> tuple[Entry, ...]:
        found = [
            one
            for one in reversed(self.book)
            if asked.tenant in {None, one.tenant}
            and asked.period in {None, one.period}
            and asked.kind in {None, one.kind.value}
            and one.id < (asked.before or 1 << 60)
        ]
        return tuple(found[: asked.limit])

    def allowance(self, tenant: str, period: Period) -> int:
        bills = [] if period in self.closed else self.bills.get(period, [])
        return sum(one.allowance for one in bills if one.tenant == tenant)

    def tenants(self) -> frozenset[str]:
        return frozenset(one.tenant for bills in self.bills.values() for one in bills)

    def prove(self, mend: bool = False) -> Proof:
        return self.proof._replace(mended=mend)
