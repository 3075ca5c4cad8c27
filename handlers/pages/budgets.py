"""Budgets and quotas of tenants in one table; operators change them."""

from dataclasses import dataclass
from typing import Final

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask, GoTo, Page, Values
from handlers.pages.notebooks.money import in_money
from handlers.problem import problem_of
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.budgets import (
    Budget,
    TenantQuota,
    amount_of,
    amount_text,
    period_named,
    period_text,
)
from kqi_hub.domain.errors import InvalidInput, KqiError, NotFound
from kqi_hub.domain.reconciliation import HARMLESS, Cause, Reconciliation
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Usage"))
_DIGITS: Final = 9
_EXAMPLE: Final = {"name": "vision"}
_CAUSES: Final = {
    Cause.RUNNING: N_("still run: their use is posted at their end"),
    Cause.LATE: N_("ended lately: the next reading has them"),
    Cause.CHANGED: N_("were changed in Slurm after they were read"),
    Cause.SUSPENDED: N_("were suspended, and on which day is not told to the second"),
    Cause.MISSING: N_("are in Slurm alone"),
    Cause.GONE: N_("are in the book alone: purged from Slurm, or archived"),
    Cause.RUNAWAY: N_("run for accounting and not for the controller"),
    Cause.UNPOSTED: N_("accounts and days whose records and book differ"),
}


class BudgetForm(Model):
    """A tenant's budget and quota, as typed; empty fields are without limit."""

    amount: str = Field("", max_length=20)
    from_month: str = Field("", max_length=7)
    cpus: str = Field("", max_length=_DIGITS)
    memory_gb: str = Field("", max_length=_DIGITS)
    gpus: str = Field("", max_length=_DIGITS)


@dataclass(frozen=True, slots=True)
class Row:
    """A tenant in the table."""

    money: Budget
    quota: TenantQuota
    lasts_until: float | None
    # The meter's own number: it knows no money beyond its budget.
    shown: int
    amount: str
    used: str
    left: str


@routes.get("/budgets", Spec())
async def show_budgets(ask: Ask) -> Page:
    """Show what your tenants may spend and have, and what is left of this month."""
    budgets = ask.deps.budgets
    money = await budgets.all(ask.asker)
    quotas = await budgets.quotas(ask.asker)
    warned = await budgets.warnings(ask.asker)
    begins = budgets.days.month_begins(budgets.period)
    found = await ask.deps.reconciler.last() if ask.me.is_operator else None

    def values() -> Values:
        now = budgets.wall()
        return {
            "month": period_text(budgets.period),
            "rows": [
                Row(
                    one,
                    quotas.get(one.tenant, TenantQuota()),
                    one.lasts_until(now, begins),
                    min(one.used, one.amount or 0),
                    in_money(ask, one.amount or 0),
                    in_money(ask, one.used),
                    in_money(ask, one.left or 0),
                )
                for one in money
            ],
            "warned": warned,
            "may_change": ask.me.is_operator,
            "reconciled": found,
            "causes": _causes(ask, found),
            "ends": budgets.days.month_ends(budgets.period),
        }

    return Page("pages/budgets/list.html", values)


@routes.get(
    "/budgets/{name}/edit",
    Spec(who=Who.OPERATOR, errors=(NotFound, InvalidInput), example_path=_EXAMPLE),
)
async def edit_budget(ask: Ask) -> Page:
    """Show a tenant's budget and quota to change them."""
    budgets, tenant = ask.deps.budgets, ask.path["name"]
    found = await budgets.left(ask.asker, tenant)
    quota = (await budgets.quotas(ask.asker)).get(tenant, TenantQuota())
    sent = BudgetForm(
        amount="" if found.amount is None else amount_text(found.amount),
        from_month=period_text(budgets.period),
        cpus=str(quota.cpus or ""),
        memory_gb=str(quota.memory_gb or ""),
        gpus=str(quota.gpus or ""),
    )
    return _form(ask, sent)


@routes.post(
    "/budgets/{name}/edit",
    Spec(
        who=Who.OPERATOR,
        body=BudgetForm,
        errors=(NotFound, InvalidInput),
        example_path=_EXAMPLE,
        example={"amount": "1000", "cpus": "200"},
    ),
)
async def change_budget(ask: Ask) -> Page | GoTo:
    """Change a tenant's budget and quota."""
    sent, tenant, budgets = ask.body(BudgetForm), ask.path["name"], ask.deps.budgets
    try:
        amount = amount_of(sent.amount) if sent.amount else None
        month = period_named(sent.from_month) if sent.from_month else None
        quota = TenantQuota(
            _whole("cpus", sent.cpus),
            _whole("memory_gb", sent.memory_gb),
            _whole("gpus", sent.gpus),
        )
        await budgets.set_amount(ask.asker, tenant, amount, month)
        await budgets.set_quota(ask.asker, tenant, quota)
    except InvalidInput as error:
        return _form(ask, sent, error)
    said = N_("Saved for {tenant}. Slurm is told by: kqi-hub limits apply")
    return GoTo("budgets", said, {"tenant": tenant})


def _form(ask: Ask, sent: BudgetForm, error: KqiError | None = None) -> Page:
    problem = problem_of(error, ask.texts, ask.request_id) if error else None
    values = {
        "for_tenant": ask.path["name"],
        "sent": sent,
        "problem": problem,
        "currency": ask.deps.queues.pricing.billing.currency,
    }
    return Page("pages/budgets/form.html", values, error.status if error else 200)


def _whole(field: str, text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal()):
        raise InvalidInput(
            "{field}: {value} is no quota.",
            "Write a whole number, 0 for no limit.",
            field=field,
            value=repr(text),
        )
    return int(text)


def _causes(
    ask: Ask, found: Reconciliation | None
) -> tuple[tuple[bool, int, str], ...]:
    """Return of each cause whether it needs a look, how many runs, and a sentence."""
    if found is None:
        return ()
    return tuple(
        (cause not in HARMLESS, found.counts[cause], ask.texts.say(_CAUSES[cause]))
        for cause in found.causes
    )
