"""kqi-hub db: bring the portal's database up to date, and check it."""

import click

from kqi_hub.bootstrap.database import check_database, upgrade_database
from kqi_hub.operator.invocation import Invocation, pass_invocation, print_json


@click.group()
def db() -> None:
    """Bring the portal's database up to date, and check it."""


@db.command()
@pass_invocation
def upgrade(invocation: Invocation) -> None:
    """Create the tables, or bring them up to this version.

    Make a backup before, and stop the services. It happens in one transaction: an
    upgrade that fails leaves the database as it was. Running it again is harmless.
    """
    before, after = upgrade_database(invocation.settings)
    if before == after:
        click.echo(f"The database is at schema {after} already; nothing to do.")
    else:
        click.echo(
            f"The database is at schema {after} now (before: {before or 'none'})."
        )


@db.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_invocation
def check(invocation: Invocation, as_json: bool) -> None:
    """Check that the database answers and fits this version."""
    revision = check_database(invocation.settings)
    if as_json:
        print_json({"url": invocation.settings.database.url, "schema": revision})
    else:
        click.echo(f"The database is at schema {revision}, as this version needs.")
