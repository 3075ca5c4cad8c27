"""kqi-hub close: make the bills of a month final."""

import asyncio
from dataclasses import asdict

import click

from kqi_hub.bootstrap.ledger import open_ledger
from kqi_hub.domain.budgets import period_named
from kqi_hub.domain.ledger_ports import ClosePlan
from kqi_hub.domain.money import amount_said
from kqi_hub.domain.usage_periods import said_period
from kqi_hub.operator.columns import columns
from kqi_hub.operator.invocation import Invocation, pass_invocation, print_json
from kqi_hub.operator.ledger import json_option, operator

_HEAD = ("TENANT", "CHARGED", "CORRECTED", "CREDITED", "ALLOWANCE", "TOTAL")


@click.command()
@click.argument("month")
@click.option("--dry-run", is_flag=True, help="Show what it would do; close nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_invocation
def close(
    invocation: Invocation, month: str, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Close MONTH, such as 2026-10: its bills are final from then on.

    All of it is read from Slurm once more before. Use that becomes known later stands
    on the bill of the month that is open then.
    """
    period = period_named(month)
    book = open_ledger(invocation.settings)
    plan = asyncio.run(book.plan(operator(), period, read=True))
    if dry_run or not as_json:
        _show(plan, as_json)
    if dry_run:
        return
    if not (yes or plan.obstacles):
        click.confirm("Close it? Nobody can open it again", abort=True, err=True)
    # It has just been read.
    asyncio.run(book.close(operator(), period, plan.confirmation, read=False))
    if as_json:
        _show(plan, as_json)
    else:
        click.echo(f"{said_period(period)} is closed.")


def _show(plan: ClosePlan, as_json: bool) -> None:
    if as_json:
        print_json(_data(plan))
        return
    facts = plan.facts
    rows = [
        (bill.tenant, *map(amount_said, (*bill[1:4], -bill.allowance, bill.total)))
        for bill in facts.bills
    ]
    click.echo(columns(_HEAD, rows) if rows else "There are no bills.")
    click.echo(f"All tenants: {amount_said(plan.total)}")
    if plan.read is not None:
        read, new = plan.read.read, plan.read.new + plan.read.changed
        click.echo(f"Runs read once more: {read:,}; new or changed of them: {new:,}.")
    if facts.running:
        click.echo(
            f"Runs that go on: {facts.running:,}. Their use comes on later bills."
        )
    if facts.unpriced_s:
        click.echo(f"Seconds of use without a price on any card: {facts.unpriced_s:,}.")
    for one in plan.obstacles:
        click.echo(f"It cannot be closed: {one}.")


def _data(plan: ClosePlan) -> dict[str, object]:
    facts = plan.facts
    bills = [bill._asdict() | {"total": bill.total} for bill in facts.bills]
    return asdict(facts) | {
        "bills": bills,
        "closed": facts.closed._asdict() if facts.closed else None,
        "total": plan.total,
        "read": plan.read._asdict() if plan.read else None,
        "obstacles": list(map(str, plan.obstacles)),
    }
