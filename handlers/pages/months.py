"""Months: their bills, credits, and how one is closed. For operators."""

from dataclasses import dataclass
from typing import Final

from pydantic import Field

from handlers.access import Who
from handlers.api.closing import MOST_ACCEPTED, read_percent
from handlers.ask import Ask, GoTo, Page, Values
from handlers.pages.notebooks.money import in_money
from handlers.pages.usage.overview import tabs
from handlers.problem import problem_of
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.budgets import amount_of
from kqi_hub.domain.close_orders import CloseOrder, CloseStep
from kqi_hub.domain.errors import Conflict, InvalidInput, KqiError, NotFound
from kqi_hub.domain.ledger import Entry
from kqi_hub.domain.ledger_ports import ClosePlan, LinesAsked, MonthBill
from kqi_hub.domain.usage_periods import read_period, said_day, said_period
from kqi_hub.i18n import N_
from kqi_hub.services.ledger import LONGEST_REASON

routes = Routes(tag=N_("Usage"))
_EXAMPLE: Final = {"period": "2026-09"}
_MOST_CREDITS: Final = 200
_STEPS: Final = {
    CloseStep.WAITING: N_("It waits for the worker."),
    CloseStep.READING: N_("The month is read from Slurm once more."),
    CloseStep.COMPARING: N_("The book is compared with Slurm."),
    CloseStep.CLOSING: N_("The bills are made final."),
}
_SHOWN: Final = tuple(_STEPS)
_ENDS: Final = {
    CloseStep.CHANGED: N_("A bill has changed since. Look at them again, then close."),
    CloseStep.DIFFERS: N_("The book differs from Slurm. See what, then decide."),
    CloseStep.FAILED: N_("It could not be closed. Try again when that is mended."),
    CloseStep.CANCELED: N_("It was canceled."),
}


class Confirmed(Model):
    """The plan that was looked at, and the differences from Slurm that were."""

    confirmation: str = ""
    accepted: int = Field(0, ge=0, le=MOST_ACCEPTED)


class Nothing(Model):
    """A form without a field."""


class CreditForm(Model):
    """A credit as it was typed; `way` is give or take."""

    tenant: str = ""
    amount: str = ""
    way: str = "give"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MonthRow:
    """A month in one line."""

    period: str
    tenants: int
    total: str
    closed_at: float | None
    author: str


@dataclass(frozen=True, slots=True)
class BillRow:
    """A tenant's bill of the month."""

    tenant: str
    charged: str
    corrected: str
    credited: str
    allowance: str
    total: str


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order to close the month; `steps`: a word, whether done, whether it is now."""

    author: str
    asked_at: float
    changed_at: float
    is_open: bool
    may_cancel: bool
    steps: list[tuple[str, bool, bool]]
    percent: int
    runs_read: int
    runs_changed: int
    end: str
    why: str
    differences: int
    accepts: int


@routes.get("/usage/months", Spec(who=Who.OPERATOR))
async def list_months(ask: Ask) -> Page:
    """List the months that have bills: open and closed ones."""
    found = await ask.deps.ledger.months(ask.asker)
    now = said_period(ask.deps.ledger.period)

    def values() -> Values:
        rows = [
            MonthRow(
                said_period(one.period),
                one.tenants,
                in_money(ask, one.total),
                one.closed_at,
                one.author,
            )
            for one in found
        ]
        return {"rows": rows, "now": now, "tabs": tabs(ask)}

    return Page("pages/months/list.html", values)


@routes.get(
    "/usage/months/{period}",
    Spec(who=Who.OPERATOR, errors=(InvalidInput,), example_path=_EXAMPLE),
)
async def show_month(ask: Ask) -> Page:
    """Show a month's bills, its credits, and what closing it would do."""
    return await _month(ask)


@routes.post(
    "/usage/months/{period}/close",
    Spec(
        who=Who.OPERATOR,
        body=Confirmed,
        errors=(InvalidInput, Conflict),
        example_path=_EXAMPLE,
        # That of a month without a bill.
        example={"confirmation": "2ab5f99023c354ff"},
    ),
)
async def close_month(ask: Ask) -> Page | GoTo:
    """Have a month closed as it was shown."""
    text, sent = ask.path["period"], ask.body(Confirmed)
    try:
        await ask.deps.closing.order(
            ask.asker, read_period(text), sent.confirmation, sent.accepted
        )
    except Conflict as error:
        return await _month(ask, error=error)
    said = N_("{month} is being closed. You may leave this page.")
    return GoTo(f"usage/months/{text}", said, {"month": text})


@routes.post(
    "/usage/months/{period}/close/cancel",
    Spec(
        who=Who.OPERATOR,
        body=Nothing,
        errors=(InvalidInput, NotFound, Conflict),
        example_path={"period": "2026-08"},
        example={},
    ),
)
async def cancel_close(ask: Ask) -> Page | GoTo:
    """Take back an order to close a month; the month stays open."""
    text = ask.path["period"]
    try:
        await ask.deps.closing.cancel(ask.asker, read_period(text))
    except (NotFound, Conflict) as error:
        return await _month(ask, error=error)
    said = N_("{month} stays open.")
    return GoTo(f"usage/months/{text}", said, {"month": text})


@routes.post(
    "/usage/months/{period}/credit",
    Spec(
        who=Who.OPERATOR,
        body=CreditForm,
        errors=(InvalidInput, NotFound, Conflict),
        example_path=_EXAMPLE,
        example={"tenant": "vision", "amount": "12.50", "reason": "a broken node"},
    ),
)
async def give_credit(ask: Ask) -> Page | GoTo:
    """Write a credit on a tenant's bill of the month."""
    sent, text = ask.body(CreditForm), ask.path["period"]
    try:
        amount = amount_of(sent.amount.strip())
        given = -amount if sent.way == "take" else amount
        await ask.deps.ledger.credit(
            ask.asker, sent.tenant, given, sent.reason, read_period(text)
        )
    except (InvalidInput, NotFound, Conflict) as error:
        return await _month(ask, sent, error)
    said = N_("The credit stands on the bill of {tenant}.")
    return GoTo(f"usage/months/{text}", said, {"tenant": sent.tenant})


async def _month(
    ask: Ask, sent: CreditForm | None = None, error: KqiError | None = None
) -> Page:
    ledger, period = ask.deps.ledger, read_period(ask.path["period"])
    plan = await ledger.plan(ask.asker, period)
    asked = LinesAsked(period=period, kind="credit", limit=_MOST_CREDITS)
    credits = await ledger.lines(ask.asker, asked)
    order = await ask.deps.closing.last(ask.asker, period)
    compared = await ask.deps.reconciler.last()
    if compared is not None and compared.until <= ledger.days.month_begins(period):
        compared = None
    problem = problem_of(error, ask.texts, ask.request_id) if error else None

    def values() -> Values:
        return _values(ask, plan, credits) | {
            "sent": sent or CreditForm(),
            "problem": problem,
            "may_credit": plan.facts.closed is None and period <= ledger.period,
            "compared": compared,
            "order": None if order is None else _order_row(ask, order, plan),
        }

    return Page("pages/months/month.html", values, error.status if error else 200)


def _values(ask: Ask, plan: ClosePlan, credits: tuple[Entry, ...]) -> dict[str, object]:
    facts = plan.facts
    return {
        "period": said_period(facts.period),
        "closed": facts.closed,
        "bills": [_row(ask, one) for one in facts.bills],
        "total": in_money(ask, plan.total),
        "allowances": in_money(ask, sum(one.allowance for one in facts.bills)),
        "has_allowances": any(one.allowance for one in facts.bills),
        "running": facts.running,
        "unpriced_h": -(-facts.unpriced_s // 3600),
        "obstacles": [ask.texts.phrase(one) for one in plan.obstacles],
        "confirmation": plan.confirmation,
        "credits": [
            (
                said_day(one.day),
                one.tenant,
                one.reason,
                one.author,
                in_money(ask, one.amount),
            )
            for one in credits
        ],
        "currency": ask.deps.queues.pricing.billing.currency,
        "longest": LONGEST_REASON,
        "tabs": tabs(ask),
    }


def _order_row(ask: Ask, order: CloseOrder, plan: ClosePlan) -> OrderRow:
    step, asked = order.step, order.asked
    is_closed = plan.facts.closed is not None
    word = _ENDS.get(step)
    return OrderRow(
        author=asked.author,
        asked_at=order.asked_at,
        changed_at=order.changed_at,
        is_open=order.is_open and not is_closed,
        may_cancel=order.may_cancel and not is_closed,
        steps=[
            (ask.texts.say(text), _SHOWN.index(one) < _SHOWN.index(step), one is step)
            for one, text in _STEPS.items()
        ]
        if order.is_open
        else [],
        percent=read_percent(order, ask.deps.ledger.days),
        runs_read=order.runs_read,
        runs_changed=order.runs_changed,
        end="" if word is None else ask.texts.say(word),
        why=ask.texts.phrase(order.reason),
        differences=order.differences or 0,
        # What was found is what the next order accepts.
        accepts=(order.differences or 0) if step is CloseStep.DIFFERS else 0,
    )


def _row(ask: Ask, one: MonthBill) -> BillRow:
    return BillRow(
        one.tenant,
        in_money(ask, one.charged),
        in_money(ask, one.corrected),
        in_money(ask, one.credited),
        in_money(ask, -one.allowance),
        in_money(ask, one.total),
    )
