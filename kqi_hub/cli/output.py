"""How the command answers: a table for people, JSON for programs, errors on stderr."""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, Final

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

# What is said to a list beside conditions: how much of it, in which order, how.
_NO_CONDITIONS: Final = frozenset({"count", "sort", "as_json", "everybody"})
_NOTHING_MATCHES: Final = (
    "Nothing matches these conditions. Leave some of them out, or write less in them."
)


def say(text: str) -> None:
    """Tell a person something that is not the answer itself."""
    click.echo(text, err=True)


def show_json(value: object) -> None:
    """Answer a program."""
    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def finish(sentence: str, as_json: bool, **what: object) -> None:
    """Tell that something is done: a person in a sentence, a program what it was."""
    if as_json:
        show_json(what)
    else:
        say(sentence)


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str
) -> None:
    """Answer a person; an empty table is a sentence."""
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        # Text, not markup: a name such as [red] is a name.
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    if not table.row_count:
        say(empty)
        return
    width = None if sys.stdout.isatty() else 200
    Console(width=width, highlight=False).print(table)


def nothing_found(there_is_none: str) -> str:
    """Return what the empty list of this command says: `there_is_none` if it is of all.

    With a condition there may be others, and the first of all is not to be made.
    """
    said = click.get_current_context().params
    has_condition = any(
        value and (name, value) != ("tenant", "-")
        for name, value in said.items()
        if name not in _NO_CONDITIONS
    )
    return _NOTHING_MATCHES if has_condition else there_is_none


def moment(epoch: int | None, never: str = "never") -> str:
    """Return a time in the reader's own time zone."""
    if epoch is None:
        return never
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(epoch))


def plain(value: Any) -> Any:
    """Return an answer as JSON knows it."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
