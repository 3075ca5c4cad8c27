"""What lists of runs are searched by, and searches that are kept under a name."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, say, show_json, show_table
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.run_models import Run

F = TypeVar("F", bound=Callable[..., Any])
Kind = type[Run]
_CONDITIONS: Final = (
    click.option("--id", help="Number: 7, >=7, <100."),
    click.option("--name", help="Part of the name; !x: without."),
    click.option("--state", multiple=True, help="A state, or live; repeat."),
    click.option("--owner", help="Part of whose it is; !x: without."),
    click.option("--queue", help="Part of the queue; !x: without."),
    click.option("--asked-at", help="Day: 2026-11-21, >=2026-11."),
    click.option("--command", help="Part of the command; !x: without."),
    click.option("--dataset", help="Part of the dataset's name; !x: without."),
    click.option("--parent-id", help="Number of what it reads: 7, >=7."),
    click.option("--parent-name", help="Part of the name of what it reads."),
    click.option("--memo", help="Part of the memo; !x: without."),
    click.option("--tag", multiple=True, help="A tag, repeat; !x: without it."),
    click.option("--favourite", is_flag=True, help="Only your favourites."),
    click.option("--sort", help="id, name, state, value, ended_at …; - before: down."),
)


class NoSearch(PortalError):
    """There is no search of this name."""

    exit_code = 4


def condition_options(command: F) -> F:
    """Give a command the options of what runs are found by."""
    for option in reversed(_CONDITIONS):
        command = option(command)
    return command


def conditions(said: dict[str, Any]) -> dict[str, object]:
    """Return what was said, as the portal takes it; what was not said is left out."""
    given = {
        **said,
        "state": ",".join(said["state"]),
        "tag": ",".join(said["tag"]),
        "favourite": True if said["favourite"] else None,
    }
    return {name: value for name, value in given.items() if value not in {None, ""}}


def kept_conditions(portal: Client, kind: Kind, name: str) -> dict[str, str]:
    """Return the conditions of a search that one keeps."""
    for one in portal.run_searches(kind):
        if one.name == name.strip():
            return one.conditions
    raise NoSearch(
        f"You keep no search {name!r}.", f"List them: kqi {kind.kind} search list"
    )


@click.group("search")
def search() -> None:
    """Keep searches under a name; `list --search NAME` applies one."""


@search.command("list")
@json_option
@click.pass_obj
def list_searches(kind: Kind, as_json: bool) -> None:
    """List them, by name."""
    with Client.from_config() as portal:
        found = portal.run_searches(kind)
    if as_json:
        show_json(found)
        return
    rows = [
        (one.name, ", ".join(f"{key} {text}" for key, text in one.conditions.items()))
        for one in found
    ]
    show_table(("Name", "Conditions"), rows, "You keep none.")


@search.command("save")
@click.argument("search_name", metavar="NAME")
@condition_options
@json_option
@click.pass_obj
def save_search(kind: Kind, /, search_name: str, as_json: bool, **said: Any) -> None:
    """Keep conditions under NAME, in place of others of this name."""
    with Client.from_config() as portal:
        kept = portal.keep_run_search(kind, search_name, conditions(said))
    if as_json:
        show_json(kept)
        return
    say(f"Kept. Apply it: kqi {kind.kind} list --search {kept.name!r}")


@search.command("delete")
@click.argument("search_name", metavar="NAME")
@json_option
@click.pass_obj
def delete_search(kind: Kind, search_name: str, as_json: bool) -> None:
    """Delete the search called NAME; one that is not there is no error."""
    with Client.from_config() as portal:
        portal.drop_run_search(kind, search_name)
    finish(f"Search {search_name} is gone.", as_json, name=search_name)
