"""The book for operators: its lines, credits, and the close of a month."""

from typing import Final, Literal

from pydantic import Field

from handlers.access import Who
from handlers.api.closing import Order, order_of
from handlers.api.usage import currency
from handlers.api.usage_models import BookLine, line
from handlers.ask import Ask, Listing
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.budgets import MOST_AMOUNT
from kqi_hub.domain.close_orders import CloseOrder
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound
from kqi_hub.domain.ledger_ports import ClosePlan, LinesAsked, MonthTotal
from kqi_hub.domain.usage_periods import read_period, said_period
from kqi_hub.i18n import N_
from kqi_hub.services.ledger import LONGEST_REASON

routes = Routes("/api/v1", tag=N_("Usage"))
_MOST_ID: Final = 2**53
_EXAMPLE: Final = {"period": "2026-09"}


class WantedLines(Model):
    """Which lines of the book."""

    tenant: str | None = Field(None, max_length=64, description="Of one tenant.")
    period: str | None = Field(
        None, max_length=7, description="On the bills of one month, as 2026-11."
    )
    kind: Literal["charge", "correction", "credit"] | None = Field(
        None, description="Of one kind."
    )
    job: int | None = Field(
        None, ge=0, le=_MOST_ID, description="Of every run of a job's number."
    )
    before: int | None = Field(
        None, ge=1, le=_MOST_ID, description="Below this line's number."
    )
    limit: int = Field(100, ge=1, le=1000, description="At most so many.")


class TenantLine(BookLine):
    """A line of the book, and whose it is."""

    tenant: str = Field(description="Who is charged.")


class LineList(Model):
    """Lines of the book, the newest first."""

    currency: str = Field(description="The currency of amounts.")
    lines: tuple[TenantLine, ...] = Field(description="The lines.")
    following: int | None = Field(description="`before` for those that follow.")


class NewCredit(Model):
    """Money that is given to a tenant, or taken."""

    tenant: str = Field(min_length=1, max_length=64, description="On whose bill.")
    given_micro: int = Field(
        ge=-MOST_AMOUNT,
        le=MOST_AMOUNT,
        description="Millionths in the tenant's favour; negative: to be paid.",
    )
    reason: str = Field(
        min_length=1, max_length=LONGEST_REASON, description="One line on the bill."
    )
    period: str | None = Field(
        None, max_length=7, description="An open month; this one when left out."
    )


class CreditAnswer(Model):
    """The line that was written."""

    id: int = Field(description="Its number in the book.")


class Month(Model):
    """A month with bills."""

    period: str = Field(description="The month.")
    tenants: int = Field(description="How many tenants have a bill.")
    total_micro: int = Field(description="What all bills come to.")
    closed_at: float | None = Field(description="When it was closed; none: it is open.")
    closed_by: str = Field(description="Who closed it.")


class MonthList(Model):
    """Months with bills, the newest first."""

    currency: str = Field(description="The currency of amounts.")
    months: tuple[Month, ...] = Field(description="The months.")


class MonthBill(Model):
    """What a tenant's bill comes to. Amounts are millionths."""

    tenant: str = Field(description="Who is charged.")
    charged_micro: int = Field(description="For use.")
    corrected_micro: int = Field(description="Corrections, of earlier months too.")
    credited_micro: int = Field(description="Credits so far.")
    allowance_micro: int = Field(description="What closing will credit.")
    total_micro: int = Field(description="What is to be paid once it is closed.")


class Plan(Model):
    """What closing a month does; the confirmation belongs to these very numbers."""

    currency: str = Field(description="The currency of amounts.")
    period: str = Field(description="The month.")
    bills: tuple[MonthBill, ...] = Field(description="Its bills.")
    total_micro: int = Field(description="What they come to.")
    closed_at: float | None = Field(description="When it was closed; none: it is open.")
    running: int = Field(description="Runs that go on: they come on later bills.")
    unpriced_s: int = Field(description="Seconds of use that no card has a price for.")
    obstacles: tuple[str, ...] = Field(description="Why it cannot be closed now.")
    confirmation: str = Field(description="To be sent to close it.")
    order: Order | None = Field(description="The last order to close it.")


@routes.get(
    "/ledger/lines",
    Spec(who=Who.OPERATOR, query=WantedLines, answer=LineList, errors=(InvalidInput,)),
)
async def list_lines(ask: Ask) -> Listing:
    """List lines of the book, the newest first."""
    sent = ask.query(WantedLines)
    asked = LinesAsked(
        sent.tenant,
        None if sent.period is None else read_period(sent.period),
        sent.kind,
        sent.job,
        sent.before,
        sent.limit + 1,
    )
    found = await ask.deps.ledger.lines(ask.asker, asked)
    shown, has_more = found[: sent.limit], len(found) > sent.limit
    return Listing(
        lambda: LineList(
            currency=currency(ask),
            lines=tuple(
                TenantLine(**line(one).model_dump(), tenant=one.tenant) for one in shown
            ),
            following=shown[-1].id if has_more else None,
        )
    )


@routes.post(
    "/ledger/credits",
    Spec(
        who=Who.OPERATOR,
        body=NewCredit,
        answer=CreditAnswer,
        status=201,
        errors=(InvalidInput, NotFound, Conflict),
        example={
            "tenant": "vision",
            "given_micro": 120_500_000,
            "reason": "node v100-03 lost its work on 12 October",
        },
    ),
)
async def give_credit(ask: Ask) -> CreditAnswer:
    """Give a tenant money on an open bill, or take it, with a reason."""
    sent = ask.body(NewCredit)
    period = None if sent.period is None else read_period(sent.period)
    number = await ask.deps.ledger.credit(
        ask.asker, sent.tenant, sent.given_micro, sent.reason, period
    )
    return CreditAnswer(id=number)


@routes.get("/ledger/months", Spec(who=Who.OPERATOR, answer=MonthList))
async def list_months(ask: Ask) -> Listing:
    """List the months that have bills: open and closed ones."""
    found = await ask.deps.ledger.months(ask.asker)
    return Listing(
        lambda: MonthList(currency=currency(ask), months=tuple(map(_month, found)))
    )


@routes.get(
    "/ledger/months/{period}",
    Spec(who=Who.OPERATOR, answer=Plan, errors=(InvalidInput,), example_path=_EXAMPLE),
)
async def plan_close(ask: Ask) -> Plan:
    """Show what closing a month would do; nothing is closed."""
    period = read_period(ask.path["period"])
    plan = await ask.deps.ledger.plan(ask.asker, period)
    return _plan(ask, plan, await ask.deps.closing.last(ask.asker, period))


def _month(one: MonthTotal) -> Month:
    return Month(
        period=said_period(one.period),
        tenants=one.tenants,
        total_micro=one.total,
        closed_at=one.closed_at,
        closed_by=one.author,
    )


def _plan(ask: Ask, plan: ClosePlan, order: CloseOrder | None) -> Plan:
    facts = plan.facts
    bills = tuple(
        MonthBill(
            tenant=one.tenant,
            charged_micro=one.charged,
            corrected_micro=one.corrected,
            credited_micro=one.credited,
            allowance_micro=-one.allowance,
            total_micro=one.total,
        )
        for one in facts.bills
    )
    return Plan(
        currency=currency(ask),
        period=said_period(facts.period),
        bills=bills,
        total_micro=plan.total,
        closed_at=facts.closed.at if facts.closed else None,
        running=facts.running,
        unpriced_s=facts.unpriced_s,
        obstacles=tuple(map(ask.texts.phrase, plan.obstacles)),
        confirmation=plan.confirmation,
        order=None if order is None else order_of(ask, order),
    )
