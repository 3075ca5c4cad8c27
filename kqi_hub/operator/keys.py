"""kqi-hub keys: make and change the keys that encrypt stored secrets."""

import click

from kqi_hub.bootstrap.keys import (
    drop_old_keys,
    generate_keys,
    key_path,
    rotate_keys,
)
from kqi_hub.operator.actor import actor
from kqi_hub.operator.invocation import Invocation, pass_invocation


@click.group()
def keys() -> None:
    """Make and change the keys that encrypt stored secrets.

    Keep a copy of the key file apart from the database's backups: who has both can
    read the secrets, who has lost the file has lost them.
    """


@keys.command()
@click.option("--lost", is_flag=True, help="The old key file is lost for good.")
@pass_invocation
def generate(invocation: Invocation, lost: bool) -> None:
    """Make the key file of a new site.

    A file that is there is never touched. With --lost a new one is made although the
    database holds secrets of another: those are deleted, and everybody sets up the
    second factor anew.
    """
    forgotten = generate_keys(invocation.settings, actor(), lost)
    click.echo(f"Made {key_path(invocation.settings)}. Back it up, apart.")
    if forgotten:
        click.echo(f"Secrets deleted that nobody could open any more: {forgotten}.")


@keys.command()
@pass_invocation
def rotate(invocation: Invocation) -> None:
    """Add a new key and put every stored secret under it.

    The services go on running: they see the new file by themselves. The old keys stay
    in the file until `kqi-hub keys drop-old`. Running it again is harmless.
    """
    done = rotate_keys(invocation.settings, actor())
    click.echo(
        f"{done.resealed} secrets are under a new key, the first of {done.keys}."
    )
    click.echo("Back the file up, then run: kqi-hub keys drop-old")


@keys.command("drop-old")
@pass_invocation
def drop_old(invocation: Invocation) -> None:
    """Take all keys but the newest out of the file.

    Every secret is put under the newest key before; if one cannot be opened, nothing
    changes. Backups of the database made before the last rotation need the old file.
    """
    done = drop_old_keys(invocation.settings, actor())
    click.echo(f"{done.path} holds one key; {done.resealed} secrets are under it.")
