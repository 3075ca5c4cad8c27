"""Budgets and quotas of tenants: what is left of a month; operators set them."""

from dataclasses import asdict

import click

from kqi_hub.cli.amounts import money
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, moment, show_json, show_table
from kqi_hub.sdk.budgets import Budget, Quota
from kqi_hub.sdk.client import Client

_APPLIED = "Slurm is told by the operators: kqi-hub limits apply"


@click.group(invoke_without_command=True)
@click.pass_context
def budget(context: click.Context) -> None:
    """Show what your tenants may spend this month, and what is left."""
    if context.invoked_subcommand is None:
        context.invoke(show_budgets)


@budget.command("show")
@click.option("--month", default="", help="Such as 2026-11; this one if left out.")
@json_option
def show_budgets(month: str = "", as_json: bool = False) -> None:
    """Show what your tenants may spend in a month, and what they may have at once."""
    with Client.from_config() as portal:
        found, quotas = portal.budgets(month), portal.quotas()
    if as_json:
        show_json({**asdict(found), "quotas": [asdict(one) for one in quotas]})
        return
    held = {one.tenant: one for one in quotas}
    show_table(
        (
            *("Tenant", "Month", "Budget", "Used", "Left", "", "Lasts until"),
            *("CPUs", "GB", "GPUs"),
        ),
        [_row(one, held.get(one.tenant)) for one in found.budgets],
        "You belong to no tenant.",
    )
    if found.budgets:
        click.echo(f"Amounts in {found.currency}; `-` is without limit.", err=True)


@budget.command("set")
@click.argument("tenant")
@click.argument("amount", metavar="AMOUNT|none")
@click.option("--from", "month", default="", help="From this month on: 2026-12.")
@json_option
def set_budget(tenant: str, amount: str, month: str, as_json: bool) -> None:
    """Let TENANT spend AMOUNT a month; none is without limit. For operators."""
    with Client.from_config() as portal:
        portal.set_budget(tenant, None if amount == "none" else amount, month)
    finish(_APPLIED, as_json, tenant=tenant, amount=amount, from_month=month)


@budget.command("quota")
@click.argument("tenant")
@click.option("--cpus", type=click.IntRange(0), default=0, help="CPUs at once.")
@click.option("--memory-gb", type=click.IntRange(0), default=0, help="GB of memory.")
@click.option("--gpus", type=click.IntRange(0), default=0, help="GPUs at once.")
@json_option
def set_quota(tenant: str, cpus: int, memory_gb: int, gpus: int, as_json: bool) -> None:
    """Let TENANT have so much at once; 0 or nothing is without limit. For operators."""
    with Client.from_config() as portal:
        made = portal.set_quota(tenant, cpus, memory_gb, gpus)
    sizes = {"cpus": made.cpus, "memory_gb": made.memory_gb, "gpus": made.gpus}
    finish(_APPLIED, as_json, tenant=tenant, **sizes)


def _row(one: Budget, quota: Quota | None) -> tuple[object, ...]:
    amount, left = one.amount_micro, one.left_micro
    until = None if one.lasts_until is None else int(one.lasts_until)
    at_once = (quota.cpus, quota.memory_gb, quota.gpus) if quota else (0, 0, 0)
    return (
        *(one.tenant, one.month, "-" if amount is None else money(amount)),
        money(one.spent_micro + one.running_micro),
        "-" if left is None else money(left),
        "-" if one.percent is None else f"{one.percent} %",
        moment(until, "-"),
        *(n or "-" for n in at_once),
    )
