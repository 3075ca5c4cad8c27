"""kqi-hub data: what store and database say of each other."""

import asyncio
from dataclasses import asdict

import click

from kqi_hub.bootstrap.data import open_data_keeper
from kqi_hub.domain.data_item_ports import Comparison
from kqi_hub.operator.columns import columns
from kqi_hub.operator.invocation import Invocation, pass_invocation, print_json

_HEAD = ("TENANT", "STRAYS", "BYTES", "MISSING", "TROUBLE")
_MOST_SHOWN = 10


@click.group()
def data() -> None:
    """Look after tenants' data."""


@data.command()
@click.argument("tenants", nargs=-1, metavar="[TENANT]...")
@click.option(
    "--remove",
    "is_real",
    is_flag=True,
    help="Remove from the store what belongs to nothing; else it is only told.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_invocation
def compare(
    invocation: Invocation, tenants: tuple[str, ...], is_real: bool, as_json: bool
) -> None:
    """Compare the store with the database, as the worker does every day.

    For the service user: the store talks to nobody else. Things of the last hour are
    passed over. The exit code is 0 also when something was found.
    """
    keeper = open_data_keeper(invocation.settings)
    found = asyncio.run(keeper.compare_now(tenants, remove=is_real))
    if as_json:
        print_json({"removed": is_real, "tenants": [asdict(one) for one in found]})
        return
    if not found:
        click.echo("No tenant has data yet.")
        return
    click.echo(columns(_HEAD, [_row(one) for one in found]))


def _row(one: Comparison) -> tuple[str, ...]:
    shown = ", ".join(map(str, one.missing[:_MOST_SHOWN]))
    more = ", …" if len(one.missing) > _MOST_SHOWN else ""
    counts = (str(one.strays), str(one.stray_bytes))
    return one.tenant, *counts, shown + more or "-", one.trouble or "-"
