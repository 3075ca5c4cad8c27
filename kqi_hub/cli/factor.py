"""One's own second factor."""

import click

from kqi_hub.cli.asking import ask_hidden
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import say, show_json
from kqi_hub.sdk.client import Client

_MODES = {
    "directory": "The directory itself asks for codes at this site.",
    "off": "This site asks for no second factor.",
}


@click.group()
def factor() -> None:
    """Your second factor: the device that shows one-time codes."""


@factor.command("show")
@json_option
def show_factor(as_json: bool) -> None:
    """Show whether it is set up, and how many recovery codes are left."""
    with Client.from_config() as portal:
        found = portal.factor()
    if as_json:
        show_json(found)
    elif found.mode in _MODES:
        click.echo(_MODES[found.mode])
    elif found.is_set_up:
        left = found.recovery_codes_left
        click.echo(f"Your code device is set up; {left} recovery codes are left.")
    else:
        click.echo("Your code device is not set up. Run: kqi factor replace")


@factor.command("replace")
@json_option
def replace_factor(as_json: bool) -> None:
    """Set up another code device; the present one works until that is done.

    A code of the present device is asked for (or a recovery code), then the first code
    of the new one. The new recovery codes are printed.
    """
    with Client.from_config() as portal:
        code = ask_hidden("Code of your present device (empty if none)", empty=True)
        device = portal.begin_factor(code)
        say(f"Type this key into the new device: {device.key}")
        say(f"Or open this address on it:        {device.uri}")
        first = ask_hidden("The code that the new device shows now")
        _show(portal.confirm_factor(device.ticket, first), as_json)


@factor.command("recovery-codes")
@json_option
def renew_recovery_codes(as_json: bool) -> None:
    """Replace your recovery codes and print the new ones; the old ones stop working."""
    code = ask_hidden("Code of your device, or a recovery code")
    with Client.from_config() as portal:
        _show(portal.renew_recovery_codes(code), as_json)


def _show(codes: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        show_json({"recovery_codes": list(codes)})
        return
    say("Keep these recovery codes away from the device: they are not shown again.")
    for code in codes:
        click.echo(code)
