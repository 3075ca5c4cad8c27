"""API tokens, for scripts and other machines."""

import click

from kqi_hub.cli.options import LIFETIME, json_option
from kqi_hub.cli.output import finish, moment, say, show_json, show_table
from kqi_hub.sdk.client import Client


@click.group()
def token() -> None:
    """Your API tokens."""


@token.command("list")
@json_option
def list_tokens(as_json: bool) -> None:
    """List your tokens; their words are never shown again."""
    with Client.from_config() as portal:
        found = portal.tokens()
    if as_json:
        show_json(found)
        return
    show_table(
        ("Id", "Note", "Scopes", "Made", "Last used", "Expires"),
        [
            (
                t.id,
                t.note,
                " ".join(t.scopes),
                moment(t.created_at),
                moment(t.last_used_at),
                moment(t.expires_at),
            )
            for t in found
        ],
        "You have no tokens.",
    )


@token.command("create")
@click.argument("note")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=["custom:kqi:read"],
    help="What it may do; repeat for several. Defaults to custom:kqi:read.",
)
@click.option(
    "--lifetime", type=LIFETIME, default="30d", help="How long it lasts; 30d if unsaid."
)
@json_option
def create_token(
    note: str, scopes: tuple[str, ...], lifetime: int, as_json: bool
) -> None:
    """Make a token and print it; NOTE says what it is for."""
    with Client.from_config() as portal:
        made = portal.create_token(note, scopes, lifetime)
    if as_json:
        show_json(made)
        return
    say("Keep it: it is not shown again.")
    click.echo(made.token)


@token.command("revoke")
@click.argument("token_id")
@json_option
def revoke_token(token_id: str, as_json: bool) -> None:
    """Make a token worthless at once."""
    with Client.from_config() as portal:
        portal.revoke_token(token_id)
    finish(f"Token {token_id} is revoked.", as_json, id=token_id)
