"""The site's terms of use."""

import click

from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, moment, say, show_json
from kqi_hub.sdk.client import Client


@click.group()
def terms() -> None:
    """Read and accept the terms of use of this site."""


@terms.command("show")
@json_option
def show_terms(as_json: bool) -> None:
    """Print the terms of use that are in force."""
    with Client.from_config() as portal:
        found = portal.terms()
    if as_json:
        show_json(found)
        return
    click.echo(found.text.rstrip("\n"))
    if found.accepted_at is None:
        say(f"To accept them: kqi terms accept {found.version}")
    else:
        say(f"You accepted version {found.version}: {moment(found.accepted_at)}")


@terms.command("accept")
@click.argument("version")
@json_option
def accept_terms(version: str, as_json: bool) -> None:
    """Accept VERSION of the terms of use, which `kqi terms show` names."""
    with Client.from_config() as portal:
        portal.accept_terms(version)
    said = f"You have accepted version {version} of the terms of use."
    finish(said, as_json, version=version)
