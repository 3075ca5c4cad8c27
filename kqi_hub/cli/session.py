"""Log in, log out, who am I."""

import socket
from dataclasses import replace
from typing import Any

import click

from kqi_hub.cli.amounts import counted
from kqi_hub.cli.asking import ask_hidden
from kqi_hub.cli.options import LIFETIME, json_option
from kqi_hub.cli.output import finish, say, show_json, show_table
from kqi_hub.sdk import config as configuration
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import NotConfigured
from kqi_hub.sdk.models import Login


@click.command()
@click.argument("server", required=False)
@click.option("--name", help="Your name; asked for when left out.")
@click.option(
    "--token",
    "with_token",
    is_flag=True,
    help="Paste a token made on the web page, instead of password and code.",
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=["custom:kqi:write"],
    help="What the token may do; repeat for several. Defaults to custom:kqi:write.",
)
@click.option(
    "--lifetime", type=LIFETIME, default="30d", help="How long it lasts; 30d if unsaid."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, configuration.LONGEST_S, min_open=True),
    help="Seconds that the portal may take to answer; kept. 30 if never said.",
)
@json_option
def login(
    server: str | None,
    with_token: bool,
    timeout: float | None,
    as_json: bool,
    **wanted: Any,
) -> None:
    """Log in to the portal at SERVER, such as https://hub.example.org/.

    Password and code are asked for; from a pipe, the first line is the password
    and the second the code (with --token: one line, the token).
    """
    known = configuration.load()
    address = server or known.server
    if not address:
        raise NotConfigured(
            "Which portal?", "Run: kqi login https://ADDRESS-OF-YOUR-PORTAL/"
        )
    address = configuration.checked_server(address)
    patience = timeout or known.timeout_s
    if with_token:
        token = ask_hidden("Token")
        with Client(address, token, timeout_s=patience) as portal:
            person = portal.whoami().name
    else:
        with Client(address, timeout_s=patience) as portal:
            done = _log_in(portal, **wanted)
        token, person = done.token, done.name
        _remind(done)
    tenant = known.tenant if address == known.server else ""
    saved = configuration.Config(address, tenant, token, patience)
    place = configuration.save(saved)
    finish(
        f"Logged in to {address} as {person}. The token is in {place} (mode 0600).",
        as_json,
        server=address,
        name=person,
        folder=str(place),
    )


def _log_in(
    portal: Client, name: str | None, scopes: tuple[str, ...], lifetime: int
) -> Login:
    who = name or click.prompt("Name", err=True)
    password = ask_hidden("Password")
    code = ask_hidden("One-time code (empty if you have none)", empty=True)
    return portal.login(
        who,
        password,
        code,
        note=f"kqi login on {socket.gethostname()}"[:200],
        scopes=scopes,
        lifetime_s=lifetime,
    )


def _remind(done: Login) -> None:
    if done.password_expires_in_s is not None:
        days = done.password_expires_in_s // 86400
        say(
            f"Your password expires in {counted(days, 'day')}: run: kqi password change"
        )
    if done.recovery_codes_left is not None and done.recovery_codes_left <= 2:
        say(
            f"{counted(done.recovery_codes_left, 'recovery code')} left: "
            "kqi factor recovery-codes"
        )


@click.command()
@json_option
def logout(as_json: bool) -> None:
    """Forget the token on this machine; revoke it on the web page or by kqi token."""
    known = configuration.load()
    configuration.save(replace(known, token=""))
    said = "Logged out: the token was removed from this machine."
    finish(said, as_json, server=known.server)


@click.command()
@json_option
def whoami(as_json: bool) -> None:
    """Show who you are, your tenants, and what your token may do."""
    with Client.from_config() as portal:
        person = portal.whoami()
    if as_json:
        show_json(person)
        return
    operator = ", operator of this site" if person.is_operator else ""
    click.echo(f"{person.name}{operator}")
    chosen = configuration.load().tenant or person.default_tenant
    show_table(
        ("Tenant", "Role", ""),
        [
            (t.name, t.role, "in use" if t.name == chosen else "")
            for t in person.tenants
        ],
        "You belong to no tenant yet. Ask an operator.",
    )
