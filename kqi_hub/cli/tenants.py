"""Tenants: which there are, and which one to work in."""

from dataclasses import replace

import click

from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, show_json, show_table
from kqi_hub.sdk import config as configuration
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError


@click.group()
def tenant() -> None:
    """Your tenants."""


@tenant.command("list")
@json_option
def list_tenants(as_json: bool) -> None:
    """List your tenants and your role in each."""
    with Client.from_config() as portal:
        found = portal.tenants()
    if as_json:
        show_json(found)
        return
    chosen = configuration.load().tenant
    show_table(
        ("Tenant", "Role", ""),
        [(t.name, t.role, "in use" if t.name == chosen else "") for t in found],
        "You belong to no tenant yet. Ask an operator.",
    )


@tenant.command("use")
@click.argument("name")
@click.option(
    "--default",
    "as_default",
    is_flag=True,
    help="Make it the tenant that the web pages open with, too.",
)
@json_option
def use_tenant(name: str, as_default: bool, as_json: bool) -> None:
    """Work in tenant NAME from now on, on this machine."""
    with Client.from_config() as portal:
        names = [t.name for t in portal.tenants()]
        if name not in names:
            raise PortalError(
                f"You do not belong to a tenant {name}.",
                f"Yours: {', '.join(names) or 'none'}.",
            )
        if as_default:
            portal.save_choices(replace(portal.choices(), default_tenant=name))
    configuration.save(replace(configuration.load(), tenant=name))
    said = f"Working in tenant {name}."
    finish(said, as_json, tenant=name, became_default=as_default)
