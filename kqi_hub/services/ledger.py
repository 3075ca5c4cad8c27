"""Close months, give credit, show and prove the book: for operators alone."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from kqi_hub.domain.accounting_ports import TakenIn
from kqi_hub.domain.budgets import MOST_AMOUNT, amount_text
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from kqi_hub.domain.ledger import Entry
from kqi_hub.domain.ledger_ports import (
    Closed,
    ClosePlan,
    Credit,
    LedgerStore,
    LinesAsked,
    MonthFacts,
    MonthTotal,
    Proof,
)
from kqi_hub.domain.login import AuditEvent, AuditLog
from kqi_hub.domain.one_line import is_one_line
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.site_days import Day, Period, SiteDays, period_of
from kqi_hub.domain.usage_periods import said_period
from kqi_hub.services.tenant_rights import Asker

LONGEST_REASON: Final = 300
_LONGEST_SHOWN: Final = 64


@dataclass(frozen=True)
class Ledger:
    """The book of one cluster. `read_month` reads a month from Slurm once more."""

    store: LedgerStore
    days: SiteDays
    audit: AuditLog
    tenants: Callable[[], Collection[str]]
    read_month: Callable[[Period], Awaitable[TakenIn]]
    wall: Callable[[], float] = time.time

    @property
    def today(self) -> Day:
        """Return the local day of now."""
        return self.days.day_of(self.wall())

    @property
    def period(self) -> Period:
        """Return the month of now."""
        return period_of(self.today)

    async def months(self, asker: Asker) -> tuple[MonthTotal, ...]:
        """Return the months that have bills, the newest first."""
        operators_only(asker)
        return await asyncio.to_thread(self.store.months)

    async def plan(self, asker: Asker, period: Period, read: bool = False) -> ClosePlan:
        """Return what closing a month would do; `read` reads it from Slurm before."""
        operators_only(asker)
        taken = None
        if read and period < self.period:
            taken = await self.read_month(period)
        facts = await asyncio.to_thread(self.store.facts, period)
        obstacles = tuple(self._obstacles(facts))
        return ClosePlan(facts, obstacles, _confirmation(facts), taken)

    async def close(
        self, asker: Asker, period: Period, confirmation: str, read: bool = True
    ) -> ClosePlan:
        """Close a month whose plan was confirmed: nothing is written to it any more.

        It is read from Slurm once more, unless the plan just did that; Conflict if its
        bills are other ones by then.
        """
        plan = await self.plan(asker, period, read=read)
        self.check(plan, confirmation)
        await asyncio.to_thread(self._close, asker, plan)
        return plan

    def check(self, plan: ClosePlan, confirmation: str) -> None:
        """Raise Conflict where a plan cannot be carried out, or is another one."""
        month = said_period(plan.facts.period)
        if plan.obstacles:
            raise Conflict(
                "{month} cannot be closed: {why}.",
                "See what closing would do first.",
                month=month,
                why=plan.obstacles[0],
            )
        if plan.confirmation != confirmation:
            raise Conflict(
                "The bills of {month} are not those that were confirmed.",
                "Look at them again, then close the month.",
                month=month,
            )

    async def credit(
        self,
        asker: Asker,
        tenant: str,
        given: int,
        reason: str,
        period: Period | None = None,
    ) -> int:
        """Give a tenant money on an open bill (negative: take it); return the line."""
        operators_only(asker)
        month = period or self.period
        self._check(given, reason, month)
        return await asyncio.to_thread(
            self._credit, asker, tenant, given, reason.strip(), month
        )

    async def lines(self, asker: Asker, asked: LinesAsked) -> tuple[Entry, ...]:
        """Return lines of the book, the newest first."""
        operators_only(asker)
        return await asyncio.to_thread(self.store.lines, asked)

    async def prove(self, asker: Asker, mend: bool = False) -> Proof:
        """Work out the whole book anew and compare; put right what differs."""
        operators_only(asker)
        found = await asyncio.to_thread(self.store.prove, mend)
        if mend and found.wrong:
            self._note(asker, "ledger-mend", "", {"wrong": str(found.wrong)})
        return found

    def relief(self, tenant: str, period: Period, amount: int) -> int:
        """Return how much of a month's amount is not asked of a tenant. Blocks."""
        return min(self.store.allowance(tenant, period), max(0, amount))

    def _obstacles(self, facts: MonthFacts) -> Iterator[Phrase]:
        if facts.closed is not None:
            yield Phrase("{person} has closed it already", person=facts.closed.author)
        if facts.period >= self.period:
            yield Phrase("it is not over")
        if facts.open_before:
            first = said_period(facts.open_before[0])
            yield Phrase("{month} has bills and comes first", month=first)
        begins = self.days.month_begins(facts.period)
        if facts.filled_back_to is None or facts.filled_back_to > begins:
            yield Phrase(
                "accounting has not been read back to its beginning yet: let the "
                "worker read on, kqi-hub ledger intake says how far it is"
            )

    def _close(self, asker: Asker, plan: ClosePlan) -> None:
        facts, now = plan.facts, self.wall()
        month = said_period(facts.period)
        last = self.days.day_of(self.days.month_ends(facts.period) - 1)
        credits = [
            Credit(
                *(bill.tenant, facts.period, last, -bill.allowance, asker.person),
                f"allowance {month}",
            )
            for bill in facts.bills
            if bill.allowance
        ]
        closed = Closed(now, asker.person)
        self.store.close(facts, credits, closed, json.dumps(_notes(plan)))
        detail = {"total": amount_text(plan.total), "tenants": str(len(facts.bills))}
        self._note(asker, "month-closed", month, detail)

    def _credit(
        self, asker: Asker, tenant: str, given: int, reason: str, month: Period
    ) -> int:
        if tenant not in self.store.tenants() and tenant not in self.tenants():
            raise NotFound(
                "There is no tenant {tenant}.",
                "A tenant is a Slurm account with people in it.",
                tenant=tenant[:_LONGEST_SHOWN],
            )
        last = self.days.day_of(self.days.month_ends(month) - 1)
        day = min(self.today, last)
        credit = Credit(tenant, month, day, -given, asker.person, reason)
        line = self.store.credit(credit, self.wall())
        detail = {"month": said_period(month), "given": amount_text(given)}
        self._note(asker, "credit", tenant, detail | {"reason": reason})
        return line

    def _check(self, given: int, reason: str, month: Period) -> None:
        if given == 0 or abs(given) > MOST_AMOUNT:
            raise InvalidInput(
                "{amount} cannot be a credit.",
                "Give an amount that is not zero.",
                amount=amount_text(given),
            )
        if not is_one_line(reason.strip(), LONGEST_REASON):
            raise InvalidInput(
                "A credit needs a reason.",
                "Write one line of at most {most} characters: it is on the bill.",
                most=LONGEST_REASON,
            )
        if month > self.period:
            raise InvalidInput(
                "{month} has not begun.",
                "Give the credit in this month or an earlier open one.",
                month=said_period(month),
            )

    def _note(
        self, asker: Asker, action: str, target: str, detail: Mapping[str, str]
    ) -> None:
        event = AuditEvent(
            *(self.wall(), asker.person, action, target),
            address=asker.address,
            detail=detail,
        )
        self.audit.append(event)


def operators_only(asker: Asker) -> None:
    """Refuse everybody else."""
    if not asker.standing.is_operator:
        raise NotPermitted(
            "Only operators may do this.", "Ask an operator to do it for you."
        )


def _confirmation(facts: MonthFacts) -> str:
    """Return a word that is another one as soon as a bill is."""
    shown = json.dumps([facts.period, facts.bills, facts.open_before])
    return sha256(shown.encode()).hexdigest()[:16]


def _notes(plan: ClosePlan) -> Mapping[str, object]:
    """Return what is kept with a closed month; the proof compares its bills."""
    facts = plan.facts
    return {
        "bills": {bill.tenant: bill.total for bill in facts.bills},
        "allowances": {b.tenant: b.allowance for b in facts.bills if b.allowance},
        "running": facts.running,
        "unpriced_s": facts.unpriced_s,
    }
