"""What one proves oneself with at Git services and image registries."""

import click

from kqi_hub.cli.asking import ask_hidden
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, moment, show_json, show_table
from kqi_hub.sdk.client import Client


@click.group()
def credential() -> None:
    """Your tokens and passwords for Git services and image registries."""


@credential.command("list")
@json_option
def list_credentials(as_json: bool) -> None:
    """List the site's services and what you have stored; values are never shown."""
    with Client.from_config() as portal:
        found = portal.credentials()
    if as_json:
        show_json(found)
        return
    show_table(
        ("Service", "For", "Address", "User name", "Stored", "Last used"),
        [
            (
                c.service,
                c.use or "no longer here",
                c.url,
                c.user_name,
                moment(c.stored_at, "-") if c.is_stored or not c.use else "-",
                moment(c.last_used_at, "-"),
            )
            for c in found
        ],
        "The operators of this site have named no service.",
    )


@credential.command("set")
@click.argument("service")
@click.option("--user", "user_name", default="", help="Your name at the service.")
@json_option
def set_credential(service: str, user_name: str, as_json: bool) -> None:
    """Store or replace your token or password for SERVICE.

    It is asked for, or read from the first line of a pipe: what stands in a command
    line can be seen by everybody on the machine.
    """
    value = ask_hidden(f"Token or password for {service}")
    with Client.from_config() as portal:
        portal.store_credential(service, value, user_name)
    finish(f"Stored for {service}.", as_json, service=service)


@credential.command("rm")
@click.argument("service")
@json_option
def remove_credential(service: str, as_json: bool) -> None:
    """Remove what you have stored for SERVICE."""
    with Client.from_config() as portal:
        portal.remove_credential(service)
    said = f"What was stored for {service} is removed."
    finish(said, as_json, service=service)
