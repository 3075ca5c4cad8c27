"""Who one is in the directory, and one's choices."""

from dataclasses import asdict, replace

import click

from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, show_json
from kqi_hub.sdk.client import Client


@click.group()
def profile() -> None:
    """Your profile: what the directory says of you, and your choices."""


@profile.command("show")
@json_option
def show_profile(as_json: bool) -> None:
    """Show your name, mail, groups and tenants."""
    with Client.from_config() as portal:
        found = portal.profile()
    if as_json:
        show_json(found)
        return
    tenants = ", ".join(f"{t.name} ({t.role})" for t in found.tenants)
    for label, value in (
        ("Name", found.display_name),
        ("Login", found.name),
        ("Mail", found.mail),
        ("Unix number", found.uid),
        ("Groups", ", ".join(found.groups)),
        ("Tenants", tenants),
    ):
        click.echo(f"{label + ':':<13}{value or '-'}")


@profile.command("set")
@click.option("--language", help="Language of pages and messages: en, ja or ko.")
@click.option(
    "--theme",
    type=click.Choice(["light", "dark", "system"]),
    help="Colours of the pages.",
)
@click.option(
    "--history/--no-history",
    "opens_history",
    default=None,
    help="Whether starting a preprocessing on its page leads to its history.",
)
@json_option
def set_choices(
    language: str | None, theme: str | None, opens_history: bool | None, as_json: bool
) -> None:
    """Choose language, colours and so on; what is not named stays as it is."""
    with Client.from_config() as portal:
        chosen = portal.choices()
        chosen = replace(
            chosen,
            language=language or chosen.language,
            theme=theme or chosen.theme,
            opens_history=(
                chosen.opens_history if opens_history is None else opens_history
            ),
        )
        portal.save_choices(chosen)
    finish("Your choices are saved.", as_json, **asdict(chosen))
