"""kqi-hub store: the data store's folders, its command line, and a look at it."""

import asyncio
import shlex

import click

from kqi_hub.bootstrap.store import (
    key_file,
    store_command,
    store_places,
    store_root,
    store_sources,
    tenants_of_slurm,
)
from kqi_hub.operator.columns import printable
from kqi_hub.operator.invocation import Invocation, pass_invocation
from kqi_hub.services.checks.examine import examine, exit_code
from kqi_hub.services.checks.store_checks import StoreChecks


@click.group()
def store() -> None:
    """Set up the data store and look at it."""


@store.command()
@click.argument("tenants", nargs=-1, metavar="[TENANT]...")
@pass_invocation
def prepare(invocation: Invocation, tenants: tuple[str, ...]) -> None:
    """Make the store's folders and key; the one command that root runs.

    Without names it makes a folder for each Slurm account that has a Unix group. Run
    it again whenever a tenant is new: what is right stays as it is.
    """
    settings = invocation.settings
    places = store_places(settings)
    if places.prepare():
        click.echo(f"Made the key {key_file(settings)}. Restart store and portal.")
    for tenant in tenants or tuple(asyncio.run(tenants_of_slurm(settings))):
        places.prepare_tenant(tenant)
        click.echo(f"{store_root(settings) / tenant} is ready.")


@store.command()
@click.pass_context
@pass_invocation
def check(invocation: Invocation, ctx: click.Context) -> None:
    """Look at the store as the doctor does, and at nothing else."""
    checks = StoreChecks(store_sources(invocation.settings)).checks()
    findings = asyncio.run(examine(checks))
    for one in findings:
        todo = f" → {one.todo}" if one.todo else ""
        click.echo(printable(f"{one.level:4}  {one.name}: {one.seen}{todo}"))
    ctx.exit(exit_code(findings))


@store.command()
@pass_invocation
def command(invocation: Invocation) -> None:
    """Print the store's command line, for its unit: it reads no settings file."""
    click.echo(shlex.join(store_command(invocation.settings)))
