"""kqi-hub limits: budgets and quotas as limits in Slurm, and quotas themselves."""

import asyncio
import shlex
from dataclasses import asdict

import click

from kqi_hub.bootstrap.budgets import advised_weights, open_budgets, open_limits
from kqi_hub.domain.billing_weights import Advice
from kqi_hub.domain.budgets import (
    Budget,
    TenantQuota,
    amount_of,
    period_named,
)
from kqi_hub.domain.money import amount_said
from kqi_hub.domain.people import Standing as Person
from kqi_hub.domain.slurm_limits import LimitDrift, Standing
from kqi_hub.operator.actor import actor
from kqi_hub.operator.columns import columns
from kqi_hub.operator.invocation import Invocation, pass_invocation, print_json
from kqi_hub.services.limits import Plan, unit_of
from kqi_hub.services.tenant_rights import Asker

_HEAD = ("TENANT", "LIMIT", "WANTED", "IN SLURM", "")
_BUDGET_HEAD = ("TENANT", "BUDGET", "USED", "LEFT", "", "CPUS", "GB", "GPUS")
_SAID = {
    Standing.SAME: "as it should be",
    Standing.SET: "is set",
    Standing.LIFT: "is lifted",
    Standing.FOREIGN: "of somebody else: left alone",
}
_take_over = click.option(
    "--take-over",
    "taken_over",
    multiple=True,
    metavar="TENANT",
    help="Replace limits of this tenant that somebody else has set, too.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def limits() -> None:
    """Limits of tenants in Slurm: they bind a bare sbatch, too."""


@limits.command()
@_take_over
@click.option(
    "--commands", is_flag=True, help="Print what an administrator of Slurm may run."
)
@_as_json
@pass_invocation
def diff(
    invocation: Invocation, taken_over: tuple[str, ...], commands: bool, as_json: bool
) -> None:
    """Show what `apply` would change; nothing is changed.

    The exit code is 0 also when something differs.
    """
    desk = open_limits(invocation.settings)
    plan = asyncio.run(desk.plan(frozenset(taken_over)))
    if commands:
        for argv in desk.commands(plan):
            click.echo(shlex.join(argv))
        return
    _show(plan, as_json, applied=False)


@limits.command()
@_take_over
@_as_json
@pass_invocation
def apply(invocation: Invocation, taken_over: tuple[str, ...], as_json: bool) -> None:
    """Write budgets and quotas into Slurm; what is right already is not touched.

    The service user needs AdminLevel=Operator in Slurm's accounting for it.
    """
    desk = open_limits(invocation.settings)
    plan = asyncio.run(desk.apply(actor(), frozenset(taken_over)))
    _show(plan, as_json, applied=True)


@limits.command()
@_as_json
@pass_invocation
def weights(invocation: Invocation, as_json: bool) -> None:
    """Print TRESBillingWeights by which Slurm counts as the card of rates does.

    Lines for slurm.conf, in thousandths of the currency's unit; `scontrol reconfigure`
    makes them count. Then limits of minutes are limits of money, neither too early nor
    too late.
    """
    found = advised_weights(invocation.settings)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    if not found:
        click.echo("There is no card of rates, or Slurm has not been seen yet.")
    for one in found:
        click.echo(_weights(one))


def _weights(one: Advice) -> str:
    if one.wanted is None:
        return (
            f"# {one.queue}: weights cannot say its price: it has none, or one that "
            "differs by GPU type."
        )
    line = f'PartitionName={one.queue} ... TRESBillingWeights="{one.wanted}"'
    if one.is_as_wanted:
        return f"{line}  # so it is"
    more = "; needs PriorityFlags=MAX_TRES" if one.is_max else ""
    return f"{line}  # now: {one.found or 'none'}{more}"


@limits.command()
@_as_json
@pass_invocation
def show(invocation: Invocation, as_json: bool) -> None:
    """Show the budget of this month and the quota of every tenant."""
    budgets = open_budgets(invocation.settings)
    money = asyncio.run(budgets.all(_operator()))
    quotas = asyncio.run(budgets.quotas(_operator()))
    if as_json:
        found = [{**asdict(one), "left": one.left} for one in money]
        held = {name: asdict(quota) for name, quota in quotas.items()}
        print_json({"budgets": found, "quotas": held})
        return
    rows = [_budget_row(one, quotas.get(one.tenant, TenantQuota())) for one in money]
    click.echo(columns(_BUDGET_HEAD, rows) if rows else "There are no tenants yet.")


@limits.command()
@click.argument("tenant")
@click.argument("amount", metavar="AMOUNT|none")
@click.option(
    "--from", "month", metavar="MONTH", help="Such as 2026-12; else this one."
)
@pass_invocation
def budget(invocation: Invocation, tenant: str, amount: str, month: str | None) -> None:
    """Let TENANT spend AMOUNT a month, from a month on; none: without limit."""
    wanted = None if amount == "none" else amount_of(amount)
    since = None if month is None else period_named(month)
    budgets = open_budgets(invocation.settings)
    asyncio.run(budgets.set_amount(_operator(), tenant, wanted, since))
    click.echo("Set. Slurm is told by: kqi-hub limits apply")


@limits.command()
@click.argument("tenant")
@click.option("--cpus", type=int, default=0, help="CPUs at once, 0 for no limit.")
@click.option("--memory-gb", type=int, default=0, help="Memory, 0 for no limit.")
@click.option("--gpus", type=int, default=0, help="GPUs at once, 0 for no limit.")
@pass_invocation
def quota(
    invocation: Invocation, tenant: str, cpus: int, memory_gb: int, gpus: int
) -> None:
    """Let TENANT have so much at once; what is left out is without limit."""
    wanted = TenantQuota(cpus, memory_gb, gpus)
    budgets = open_budgets(invocation.settings)
    asyncio.run(budgets.set_quota(_operator(), tenant, wanted))
    click.echo("Set. Slurm is told by: kqi-hub limits apply")


def _operator() -> Asker:
    """Return who runs the command: whoever may, is an operator."""
    return Asker(Person(actor(), (), is_operator=True))


def _budget_row(one: Budget, quota: TenantQuota) -> tuple[str, ...]:
    left = "-" if one.left is None else amount_said(one.left)
    money = (
        "-" if one.amount is None else amount_said(one.amount),
        amount_said(one.used),
        left,
        "-" if one.percent is None else f"{one.percent} %",
    )
    at_once = (quota.cpus, quota.memory_gb, quota.gpus)
    return one.tenant, *money, *(str(n) if n else "-" for n in at_once)


def _show(plan: Plan, as_json: bool, *, applied: bool) -> None:
    if as_json:
        found = [asdict(one) for one in plan.limits]
        notes = [str(note) for note in plan.notes]
        print_json({"applied": applied, "limits": found, "notes": notes})
        return
    if not plan.limits:
        click.echo("No tenant has a budget, a quota or a limit in Slurm.")
        return
    click.echo(columns(_HEAD, [_row(one) for one in plan.limits]))
    for note in plan.notes:
        click.echo(f"! {note}", err=True)
    foreign = sorted(
        {
            one.account
            for one in plan.limits
            if one.standing is Standing.FOREIGN and one.wanted is not None
        }
    )
    if foreign:
        names = " ".join(f"--take-over {name}" for name in foreign)
        click.echo(f"Limits that the portal did not set are kept: {names}", err=True)
    if plan.changes and not applied:
        click.echo("Nothing was changed. Do it: kqi-hub limits apply", err=True)


def _row(one: LimitDrift) -> tuple[str, ...]:
    unit = unit_of(one.resource)
    amounts = (_amount(one.wanted, unit), _amount(one.found, unit))
    return one.account, one.resource, *amounts, _SAID[one.standing]


def _amount(amount: int | None, unit: str) -> str:
    return "-" if amount is None else f"{amount} {unit}".rstrip()
