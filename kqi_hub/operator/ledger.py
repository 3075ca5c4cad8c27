"""kqi-hub ledger: the book of charges, read, credited and proved."""

import asyncio
from dataclasses import asdict
from datetime import date
from typing import Any

import click

from kqi_hub.bootstrap.intake import open_intake
from kqi_hub.bootstrap.ledger import open_ledger
from kqi_hub.domain.budgets import amount_of, period_named
from kqi_hub.domain.ledger import Entry, EntryKind
from kqi_hub.domain.ledger_ports import LinesAsked, Proof
from kqi_hub.domain.money import amount_said
from kqi_hub.domain.people import Standing
from kqi_hub.domain.usage_periods import said_period
from kqi_hub.operator.actor import actor
from kqi_hub.operator.columns import columns
from kqi_hub.operator.invocation import Invocation, pass_invocation, print_json
from kqi_hub.operator.moments import moment
from kqi_hub.services.tenant_rights import Asker

_HEAD = (
    *("LINE", "KIND", "MONTH", "DAY", "TENANT", "AMOUNT", "SECONDS", "PER HOUR"),
    *("CARD", "BY", "REASON"),
)
_WRONG = 1
month_option = click.option("--month", metavar="MONTH", help="Such as 2026-11.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def ledger() -> None:
    """Read, credit and prove the book: lines are added, none is changed."""


@ledger.command()
@click.option("--tenant", metavar="NAME", help="Lines of one tenant.")
@month_option
@click.option(
    "--kind", type=click.Choice([str(one) for one in EntryKind]), help="Of one kind."
)
@click.option("--job", type=int, metavar="ID", help="Of every run of this job.")
@click.option("--before", type=int, metavar="LINE", help="Go on below this line.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="Show at most so many.",
)
@json_option
@pass_invocation
def show(
    invocation: Invocation,
    /,
    month: str | None,
    limit: int,
    as_json: bool,
    **only: Any,
) -> None:
    """Show lines, the newest first."""
    period = None if month is None else period_named(month)
    asked = LinesAsked(period=period, limit=limit + 1, **only)
    found = asyncio.run(open_ledger(invocation.settings).lines(operator(), asked))
    shown, more = found[:limit], len(found) > limit
    if as_json:
        lines = [asdict(one) for one in shown]
        print_json({"lines": lines, "more_before": shown[-1].id if more else None})
        return
    click.echo(columns(_HEAD, list(map(_row, shown))) if shown else "No lines.")
    if more:
        click.echo(f"There are more: --before {shown[-1].id}", err=True)


@ledger.command()
@click.argument("tenant")
@click.argument("amount")
@click.option("--reason", required=True, metavar="TEXT", help="Stands on the bill.")
@month_option
@click.option("--take", is_flag=True, help="Charge the amount instead of giving it.")
@pass_invocation
def credit(
    invocation: Invocation,
    tenant: str,
    amount: str,
    reason: str,
    month: str | None,
    take: bool,
) -> None:
    """Give TENANT the AMOUNT on the bill of this month, or of another open one."""
    given = -amount_of(amount) if take else amount_of(amount)
    period = None if month is None else period_named(month)
    book = open_ledger(invocation.settings)
    line = asyncio.run(book.credit(operator(), tenant, given, reason, period))
    click.echo(f"Line {line} is written.")


@ledger.command()
@click.option("--mend", is_flag=True, help="Post what is missing, sum up anew.")
@json_option
@pass_invocation
def verify(invocation: Invocation, mend: bool, as_json: bool) -> None:
    """Work out every line from its record, and every sum from the lines.

    The exit code is 1 where something differs. While --mend sums up, nothing is taken
    in; lines are added by it, none is changed.
    """
    proof = asyncio.run(open_ledger(invocation.settings).prove(operator(), mend))
    if as_json:
        faults = [one._asdict() for one in proof.faults]
        print_json(proof._asdict() | {"faults": faults})
    else:
        _tell(proof)
    if proof.wrong and not mend:
        raise click.exceptions.Exit(_WRONG)


@ledger.command()
@json_option
@pass_invocation
def intake(invocation: Invocation, as_json: bool) -> None:
    """Show how far Slurm's accounting has been read."""
    found = asyncio.run(open_intake(invocation.settings).progress())
    if as_json:
        print_json(found._asdict() | {"is_whole": found.is_whole})
        return
    if found.read_until is None:
        click.echo("Nothing has been read yet: the worker does it.")
        return
    click.echo(f"Read until          {moment(found.read_until)}")
    click.echo(f"History read back to {_moment(found.filled_back_to)}")
    click.echo(f"History wanted from  {_moment(found.fill_back_to)}")
    click.echo("The history is whole." if found.is_whole else "It is still being read.")


def operator() -> Asker:
    """Return who runs the command: whoever may, is an operator."""
    return Asker(Standing(actor(), (), is_operator=True))


def _tell(proof: Proof) -> None:
    for one in proof.faults:
        click.echo(f"{one.what}: {one.where}: is {one.found}, should be {one.wanted}")
    if proof.wrong > len(proof.faults):
        click.echo(f"… and {proof.wrong - len(proof.faults)} more.")
    said = "all of it is right" if not proof.wrong else f"{proof.wrong} differ"
    if proof.wrong and proof.mended:
        said = f"{proof.wrong} differed and are put right"
    click.echo(f"Records: {proof.records:,}, lines: {proof.lines:,}: {said}.")


def _row(one: Entry) -> tuple[str, ...]:
    return (
        str(one.id),
        one.kind.value,
        said_period(one.period),
        date.fromordinal(one.day).isoformat(),
        one.tenant,
        amount_said(one.amount),
        str(one.seconds) if one.record_id is not None else "-",
        "-" if one.per_hour is None else amount_said(one.per_hour),
        "-" if one.version is None else str(one.version),
        one.author,
        one.reason,
    )


def _moment(at: int | None) -> str:
    return "-" if at is None else moment(at)
