"""Bills of tenants, for those who answer for the money."""

import click

from kqi_hub.cli.amounts import money
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import moment, say, show_json, show_table
from kqi_hub.cli.usage import hours
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.usage import Bill, BillPosition, BookLine


@click.command("bill")
@click.argument("period", required=False)
@click.option("--tenant", default="", help="Whose; needed where you manage several.")
@click.option("--csv", "as_csv", is_flag=True, help="A month as a file: > bill.csv")
@json_option
def bill(period: str | None, tenant: str, as_csv: bool, as_json: bool) -> None:
    """List the bills of your tenants, or show one month's: kqi bill 2026-11."""
    with Client.from_config() as portal:
        if period is None:
            found = portal.bills(tenant)
            if as_json:
                show_json(found)
                return
            heads = ("Month", "Tenant", "Use", "Corrections", "Credits", "Total", "")
            none = "There is no bill yet, or you manage no tenant."
            show_table(heads, map(_row, found.bills), none)
            say(f"In {found.currency}. What a month is made of: kqi bill 2026-11")
            return
        whose = tenant or _only(portal)
        if as_csv:
            click.echo(portal.bill_csv(whose, period).encode(), nl=False)
            return
        shown = portal.bill(whose, period)
    if as_json:
        show_json(shown)
        return
    total = money(shown.bill.total_micro, shown.currency)
    click.echo(f"Tenant {whose}, {period}: {total}  {_standing(shown.bill)}")
    columns = ("Whose", "Queue", "Kind", "Runs", "GPU h", "CPU h", "Amount", "")
    show_table(columns, map(_position, shown.positions), "Nothing was used.")
    if shown.credits:
        credit = ("Credit", "By", "Why", "Amount")
        show_table(credit, map(_credit, shown.credits), "")


def _only(portal: Client) -> str:
    managed = [one.name for one in portal.tenants() if one.role == "manager"]
    if len(managed) != 1:
        raise PortalError(
            "You manage no tenant, or several.", "Say which: --tenant NAME"
        )
    return managed[0]


def _row(one: Bill) -> tuple[object, ...]:
    amounts = (one.charged_micro, one.corrected_micro, one.credited_micro)
    return (
        *(one.period, one.tenant, *map(money, amounts)),
        *(money(one.total_micro), _standing(one)),
    )


def _standing(one: Bill) -> str:
    if one.closed_at is None:
        return "still open"
    return f"closed {moment(int(one.closed_at))}"


def _position(one: BillPosition) -> tuple[object, ...]:
    late = "of earlier months" if one.earlier else ""
    return (
        *(one.person, one.queue, one.kind, one.runs, hours(one.gpu_s)),
        *(hours(one.cpu_s), money(one.amount_micro), late),
    )


def _credit(line: BookLine) -> tuple[object, ...]:
    return (line.day, line.author, line.reason, money(line.cost_micro))
