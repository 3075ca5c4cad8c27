"""Public SSH keys."""

from typing import TextIO

import click

from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, moment, say, show_json, show_table
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError


@click.group()
def key() -> None:
    """Your public SSH keys."""


@key.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """List your keys with their fingerprints."""
    with Client.from_config() as portal:
        found = portal.ssh_keys()
    if as_json:
        show_json(found)
        return
    show_table(
        ("Id", "Name", "Kind", "Fingerprint", "Added"),
        [(k.id, k.name, k.kind, k.fingerprint, moment(k.added_at)) for k in found],
        "You have no SSH keys here. Add one: kqi key add ~/.ssh/id_ed25519.pub",
    )


@key.command("add")
@click.argument("file", type=click.File("r"))
@click.option("--name", default="", help="What to call it; its comment if unsaid.")
@json_option
def add_key(file: TextIO, name: str, as_json: bool) -> None:
    """Add the public key in FILE (- for standard input)."""
    text = file.read(16 * 1024).strip()
    if "PRIVATE KEY" in text or text.startswith("PuTTY-User-Key-File"):
        raise PortalError(
            f"{file.name} is a private key: nothing was sent.",
            "Give the file that ends in .pub.",
        )
    comment = text.split(maxsplit=2)[2:] or ["key"]
    with Client.from_config() as portal:
        added = portal.add_ssh_key(name or comment[0], text)
    if as_json:
        show_json(added)
        return
    say(f"Added {added.name}: {added.fingerprint}")


@key.command("rm")
@click.argument("key_id", type=int)
@json_option
def remove_key(key_id: int, as_json: bool) -> None:
    """Remove a key."""
    with Client.from_config() as portal:
        portal.remove_ssh_key(key_id)
    finish(f"Key {key_id} is removed.", as_json, id=key_id)
