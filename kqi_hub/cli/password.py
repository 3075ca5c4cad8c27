"""One's own password."""

import click

from kqi_hub.cli.asking import ask_hidden, ask_new
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish
from kqi_hub.sdk.client import Client


@click.group()
def password() -> None:
    """Your password in the directory."""


@password.command("change")
@click.option(
    "--code",
    "with_code",
    is_flag=True,
    help="Ask for a one-time code too, where the directory itself wants one.",
)
@json_option
def change_password(with_code: bool, as_json: bool) -> None:
    """Change your password.

    Both passwords are asked for; from a pipe, the first line is the present one, the
    second the new one (and with --code the third the code).
    """
    old = ask_hidden("Present password")
    new = ask_new("New password")
    code = ask_hidden("One-time code") if with_code else ""
    with Client.from_config() as portal:
        portal.change_password(old, new, code)
    finish("Your password is changed.", as_json, changed=True)
