"""kqi-hub rates: what use costs, from when on."""

import asyncio
import sys
import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from kqi_hub.bootstrap.database import open_database
from kqi_hub.bootstrap.rates import open_rates
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.rate_documents import LONGEST
from kqi_hub.operator.actor import actor
from kqi_hub.operator.invocation import Invocation, pass_invocation, print_json
from kqi_hub.operator.rate_words import (
    card_json,
    cards_table,
    preview_json,
    preview_text,
)
from kqi_hub.services.rates import Author, Rates

_file = click.argument("file", type=click.File("rb"), metavar="FILE")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class When(click.ParamType[str]):
    """A moment of the site's own time: now, 2026-12-01, 2026-12-01T09:30."""

    name = "WHEN"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Refuse what is no moment."""
        try:
            return "now" if value == "now" else str(datetime.fromisoformat(str(value)))
        except ValueError:
            self.fail(f"{value!r} is no moment: {self.__doc__}", param, ctx)


_from = click.option(
    "--from",
    "begins",
    type=When(),
    help="When they begin, if the file does not say it: now, or a date.",
)


@click.group()
def rates() -> None:
    """Rates: what an hour of CPUs, memory, GPUs and nodes costs, from when on."""


@rates.command("list")
@_json
@pass_invocation
def list_cards(invocation: Invocation, as_json: bool) -> None:
    """List the cards of rates, the newest first; one counts at a time."""
    desk = _desk(invocation)
    cards = asyncio.run(desk.cards())
    states = desk.states(cards)
    if as_json:
        print_json([card_json(one, states[one.card.version]) for one in cards])
        return
    if not cards:
        click.echo("There is no card of rates. Publish one: kqi-hub rates import FILE")
        return
    click.echo(cards_table(cards, states, desk.days.zone))


@rates.command()
@click.argument("version", type=click.IntRange(1), required=False)
@pass_invocation
def show(invocation: Invocation, version: int | None) -> None:
    """Show a card as it was published; the one that counts now without a number."""
    found = asyncio.run(_desk(invocation).card(version))
    click.echo(found.document, nl=not found.document.endswith("\n"))


@rates.command()
@click.argument("version", type=click.IntRange(1), required=False)
@pass_invocation
def export(invocation: Invocation, version: int | None) -> None:
    """Write a card in full as TOML, to begin a new one with."""
    click.echo(asyncio.run(_desk(invocation).document(version)), nl=False)


@rates.command()
@_file
@_from
@_json
@pass_invocation
def check(invocation: Invocation, file: Any, begins: str | None, as_json: bool) -> None:
    """Read a card and show what it would change; nothing is published."""
    desk = _desk(invocation)
    preview = asyncio.run(desk.preview(_text(file), _moment(begins, desk)))
    if as_json:
        print_json(preview_json(preview))
        return
    click.echo(preview_text(preview, desk.days.zone, desk.currency))


@rates.command("import")
@_file
@_from
@click.option("--note", default="", help="Why, for the list and the audit log.")
@click.option("--yes", is_flag=True, help="Publish without being asked.")
@pass_invocation
def import_card(
    invocation: Invocation, file: Any, begins: str | None, note: str, yes: bool
) -> None:
    """Publish a card of rates after showing what it changes.

    A card is never changed: publish another one in its place. FILE may be - with --yes.
    """
    desk = _desk(invocation)
    preview = asyncio.run(desk.preview(_text(file), _moment(begins, desk)))
    click.echo(preview_text(preview, desk.days.zone, desk.currency))
    if not yes and not sys.stdin.isatty():
        raise InvalidInput("Nobody can be asked here.", "Look at it, then add --yes.")
    if not yes:
        click.confirm("Publish this card?", abort=True)
    author = Author(actor())
    text, confirmation = preview.document, preview.confirmation
    version = asyncio.run(desk.publish(author, text, confirmation, note))
    click.echo(f"Card {version} is published.")
    lines = asyncio.run(desk.settle())
    if lines:
        click.echo(f"Use since its beginning is posted again, lines: {lines:,}.")


@rates.command()
@click.argument("version", type=click.IntRange(1))
@pass_invocation
def withdraw(invocation: Invocation, version: int) -> None:
    """Take back a card that does not count yet."""
    asyncio.run(_desk(invocation).withdraw(Author(actor()), version))
    click.echo(f"Card {version} is withdrawn.")


def _desk(invocation: Invocation) -> Rates:
    settings = invocation.settings
    return open_rates(settings, open_database(settings))


def _text(file: Any) -> str:
    raw: bytes = file.read(LONGEST * 4 + 1)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(
            "The file is no text in UTF-8.", "Save it as UTF-8."
        ) from error


def _moment(begins: str | None, desk: Rates) -> int | None:
    if begins is None:
        return None
    if begins == "now":
        return int(time.time())
    given = datetime.fromisoformat(begins)
    zone = ZoneInfo(desk.days.zone)
    return int((given if given.tzinfo else given.replace(tzinfo=zone)).timestamp())
