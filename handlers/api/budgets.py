"""Budgets and quotas of tenants, and what the book and Slurm say of each other."""

from datetime import date
from typing import Any, Final

from pydantic import Field

from handlers.access import Scope, Who
from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.budgets import (
    Budget,
    TenantQuota,
    amount_of,
    period_named,
    period_text,
)
from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.domain.reconciliation import HARMLESS, Reconciliation, Use
from kqi_hub.i18n import N_

routes = Routes("/api/v1", tag=N_("Usage"))
_ERRORS: Final = (InvalidInput, NotFound)
_EXAMPLE: Final = {"name": "vision"}


class WantedMonth(Model):
    """Of which month."""

    month: str = Field(
        "", max_length=7, description="Such as 2026-11; this one if not."
    )


class BudgetRow(Model):
    """A tenant's money in a month. Amounts are millionths of the currency's unit."""

    tenant: str = Field(description="The tenant.")
    month: str = Field(description="The month.")
    amount_micro: int | None = Field(description="The budget; none: no limit.")
    spent_micro: int = Field(description="The bill so far.")
    running_micro: int = Field(description="Cost of jobs that run, provisional.")
    left_micro: int | None = Field(description="What is left; none: no limit.")
    percent: int | None = Field(description="How much is gone.")
    lasts_until: float | None = Field(
        description="When nothing is left, if it goes on so; none: not known."
    )


class BudgetList(Model):
    """Budgets of the tenants that you see."""

    currency: str = Field(description="The currency of amounts.")
    budgets: tuple[BudgetRow, ...] = Field(description="By tenant.")


class NewBudget(Model):
    """What a tenant may spend a month."""

    amount: str | None = Field(
        max_length=20, description="Such as 1200.50; none: without limit."
    )
    from_month: str = Field(
        "", max_length=7, description="From which month on; this one if left out."
    )


class QuotaRow(Model):
    """What a tenant may have at once; 0 is without limit."""

    tenant: str = Field(description="The tenant.")
    cpus: int = Field(description="CPUs.")
    memory_gb: int = Field(description="Memory in GB.")
    gpus: int = Field(description="GPUs.")


class QuotaList(Model):
    """Quotas of the tenants that you see."""

    quotas: tuple[QuotaRow, ...] = Field(description="By tenant.")


class NewQuota(Model):
    """What a tenant may have at once; 0 is without limit."""

    cpus: int = Field(0, ge=0, le=10**8, description="CPUs.")
    memory_gb: int = Field(0, ge=0, le=10**8, description="Memory in GB.")
    gpus: int = Field(0, ge=0, le=10**8, description="GPUs.")


class UseRow(Model):
    """Seconds of CPUs, GPUs and nodes; memory in MB times seconds."""

    cpu_s: int = Field(description="CPU seconds.")
    memory_mb_s: int = Field(description="MB seconds of memory.")
    gpu_s: int = Field(description="GPU seconds.")
    node_s: int = Field(description="Node seconds.")


class AccountRow(Model):
    """An account's use: in the book, by Slurm's rows, by its roll-up."""

    account: str = Field(description="The account.")
    ours: UseRow = Field(description="In the book.")
    slurm: UseRow = Field(description="By sacct.")
    rolled_up: UseRow | None = Field(description="By sreport; none: not asked.")


class CauseRow(Model):
    """Why some differ."""

    cause: str = Field(description="running, late, changed, suspended, missing, …")
    count: int = Field(description="How many runs.")
    use: UseRow = Field(description="Ours less Slurm's.")


class DifferentJob(Model):
    """A job whose use differs on a day; 0 for an account's day as a whole."""

    cause: str = Field(description="running, late, changed, suspended, missing, …")
    account: str = Field(description="The account.")
    job_id: int = Field(description="Slurm's number of the job.")
    day: date = Field(description="The day of use.")
    use: UseRow = Field(description="Ours less Slurm's.")


class ReconciliationAnswer(Model):
    """What the last comparison of the book with Slurm found."""

    at: float | None = Field(description="When; none: never yet.")
    since: int | None = Field(description="From this second on.")
    until: int | None = Field(description="To this second.")
    agrees: bool = Field(description="Whether nothing needs a look.")
    accounts: tuple[AccountRow, ...] = Field(description="By account.")
    causes: tuple[CauseRow, ...] = Field(description="By cause.")
    jobs: tuple[DifferentJob, ...] = Field(
        description="Those that need a look, at most 50 of each cause."
    )


@routes.get("/budgets", Spec(query=WantedMonth, answer=BudgetList, errors=_ERRORS))
async def list_budgets(ask: Ask) -> BudgetList:
    """List what your tenants may spend in a month, and what is left of it."""
    month = ask.query(WantedMonth).month
    found = await ask.deps.budgets.all(ask.asker, _period(month))
    return BudgetList(
        currency=ask.deps.queues.pricing.billing.currency,
        budgets=tuple(_row(ask, one) for one in found),
    )


@routes.get(
    "/budgets/{name}",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        query=WantedMonth,
        answer=BudgetRow,
        errors=_ERRORS,
        example_path=_EXAMPLE,
    ),
)
async def show_budget(ask: Ask) -> BudgetRow:
    """Show what a tenant may spend in a month, and what is left of it."""
    month, tenant = ask.query(WantedMonth).month, ask.path["name"]
    return _row(ask, await ask.deps.budgets.left(ask.asker, tenant, _period(month)))


@routes.put(
    "/budgets/{name}",
    Spec(
        who=Who.OPERATOR,
        scope=Scope.OPERATE,
        body=NewBudget,
        answer=BudgetRow,
        errors=_ERRORS,
        example_path=_EXAMPLE,
        example={"amount": "1200.50", "from_month": ""},
    ),
)
async def set_budget(ask: Ask) -> BudgetRow:
    """Set what a tenant may spend a month, from a month on."""
    sent, tenant = ask.body(NewBudget), ask.path["name"]
    amount = None if sent.amount is None else amount_of(sent.amount)
    budgets = ask.deps.budgets
    await budgets.set_amount(ask.asker, tenant, amount, _period(sent.from_month))
    return _row(ask, await budgets.left(ask.asker, tenant, _period(sent.from_month)))


@routes.get("/quotas", Spec(answer=QuotaList))
async def list_quotas(ask: Ask) -> QuotaList:
    """List what your tenants may have at once; 0 is without limit."""
    found = await ask.deps.budgets.quotas(ask.asker)
    return QuotaList(quotas=tuple(_quota(name, one) for name, one in found.items()))


@routes.put(
    "/quotas/{name}",
    Spec(
        who=Who.OPERATOR,
        scope=Scope.OPERATE,
        body=NewQuota,
        answer=QuotaRow,
        errors=_ERRORS,
        example_path=_EXAMPLE,
        example={"cpus": 200, "memory_gb": 0, "gpus": 12},
    ),
)
async def set_quota(ask: Ask) -> QuotaRow:
    """Set what a tenant may have at once; Slurm is told by `kqi-hub limits apply`."""
    sent, tenant = ask.body(NewQuota), ask.path["name"]
    quota = TenantQuota(sent.cpus, sent.memory_gb, sent.gpus)
    await ask.deps.budgets.set_quota(ask.asker, tenant, quota)
    return _quota(tenant, quota)


@routes.get(
    "/reconciliation",
    Spec(who=Who.OPERATOR, scope=Scope.OPERATE, answer=ReconciliationAnswer),
)
async def show_reconciliation(ask: Ask) -> ReconciliationAnswer:
    """Show what the last comparison of the book with Slurm found."""
    found = await ask.deps.reconciler.last()
    told = found or Reconciliation(0, 0, 0.0)
    return ReconciliationAnswer(
        at=None if found is None else found.at,
        since=None if found is None else found.since,
        until=None if found is None else found.until,
        agrees=not told.troubles and told.unexplained.is_nothing,
        accounts=tuple(
            AccountRow(
                account=one.account,
                ours=_use(one.ours),
                slurm=_use(one.slurm),
                rolled_up=None if one.rolled_up is None else _use(one.rolled_up),
            )
            for one in told.accounts
        ),
        causes=tuple(
            CauseRow(cause=cause, count=told.counts[cause], use=_use(use))
            for cause, use in told.causes.items()
        ),
        jobs=tuple(
            DifferentJob(
                cause=one.cause,
                account=one.account,
                job_id=one.job_id,
                day=date.fromordinal(one.day),
                use=_use(one.use),
            )
            for one in told.named
            if one.cause not in HARMLESS
        ),
    )


def _row(ask: Ask, found: Budget) -> BudgetRow:
    budgets = ask.deps.budgets
    begins = budgets.days.month_begins(found.period)
    is_now = found.period == budgets.period
    return BudgetRow(
        tenant=found.tenant,
        month=period_text(found.period),
        amount_micro=found.amount,
        spent_micro=found.spent,
        running_micro=found.running,
        left_micro=found.left,
        percent=found.percent,
        lasts_until=found.lasts_until(budgets.wall(), begins) if is_now else None,
    )


def _quota(tenant: str, found: TenantQuota) -> QuotaRow:
    return QuotaRow(
        tenant=tenant, cpus=found.cpus, memory_gb=found.memory_gb, gpus=found.gpus
    )


def _use(found: Use) -> UseRow:
    values: dict[str, Any] = found._asdict()
    del values["seconds"]
    return UseRow.model_validate(values)


def _period(text: str) -> int | None:
    return period_named(text) if text else None
