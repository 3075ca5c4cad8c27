"""kqi-hub person: look at somebody's login, and help somebody who is locked out."""

import sys
from collections.abc import Iterator
from dataclasses import asdict

import click

from kqi_hub.bootstrap.login import (
    person_report,
    reset_factor,
    take_over_factor,
)
from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.domain.names import typed_name
from kqi_hub.operator.actor import actor
from kqi_hub.operator.columns import printable
from kqi_hub.operator.invocation import Invocation, pass_invocation, print_json
from kqi_hub.operator.moments import moment
from kqi_hub.services.person_report import PersonReport


@click.group()
def person() -> None:
    """Look at somebody's login, and help somebody who is locked out."""


@person.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_invocation
def show(invocation: Invocation, name: str, as_json: bool) -> None:
    """Show what the directory and the portal know of NAME."""
    found = person_report(invocation.settings, _name(name))
    if as_json:
        print_json(asdict(found))
    else:
        click.echo("\n".join(map(printable, _lines(found))))


@person.command("reset-factor")
@click.argument("name")
@pass_invocation
def reset(invocation: Invocation, name: str) -> None:
    """Take NAME's second factor and recovery codes away; the audit log keeps it.

    The next login with the right password sets up a new one: make sure first that it
    is NAME who asks.
    """
    if not reset_factor(invocation.settings, actor(), _name(name)):
        raise NotFound("{name} has no second factor.", name=name)
    click.echo(f"{name} sets up a new second factor at the next login.")


@person.command("import-factor")
@click.argument("name")
@pass_invocation
def import_factor(invocation: Invocation, name: str) -> None:
    """Take over the code device that NAME has from another system.

    The device's key (base32) is read from standard input. Prints recovery codes: hand
    them to NAME, or let NAME make new ones on the account page.
    """
    key = sys.stdin.readline(1024).strip()
    codes = take_over_factor(invocation.settings, actor(), _name(name), key)
    for code in codes:
        click.echo(code)


def _name(typed: str) -> str:
    name = typed_name(typed)
    if name is None:
        raise InvalidInput("{typed} cannot be anybody's name.", typed=repr(typed[:80]))
    return name


def _lines(found: PersonReport) -> Iterator[str]:
    yield f"Name           {found.name}"
    entry = found.entry
    if entry is None:
        unknown = "unknown, disabled or expired"
        yield f"Directory      {found.directory_error or unknown}"
    else:
        yield f"Directory      {entry.display_name}, uid {entry.uid}, {entry.mail}"
        yield f"Groups         {', '.join(entry.groups) or 'none'}"
    left = found.recovery_codes_left
    factor = f"set up, {left} recovery codes left" if found.has_factor else "not set up"
    yield f"Second factor  {factor}"
    for accepted in found.accepted_terms:
        when = moment(accepted.accepted_at)
        yield f"Terms          {accepted.version} accepted {when}"
    for event in found.last_events:
        why = event.detail.get("reason", "")
        yield (
            f"{moment(event.at)}  {event.action} {event.outcome} "
            f"from {event.address or 'here'} {why}".rstrip()
        )
