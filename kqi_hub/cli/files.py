"""Files on scratch and of tenants' stores; `kqi files` works like the page."""

from pathlib import Path

import click

from kqi_hub.cli.file_looks import LOOKS
from kqi_hub.cli.file_places import Where, root_option, shown, where
from kqi_hub.cli.file_transfers import TRANSFERS
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import say, show_json
from kqi_hub.cli.steps import steps
from kqi_hub.sdk.agent_calls import AgentRefused
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.file_models import FileText, FileWork, Moved

_paths = click.argument("paths", nargs=-1, required=True)


class NotAll(PortalError):
    """Some of several could not be done."""


@click.group("files")
def files() -> None:
    """Your files on scratch, and the published files of your tenants.

    Paths begin in your own folder on scratch; absolute ones of the cluster are
    understood too. Exit codes: 0 done, 1 done in part, 3 not permitted, 4 not there,
    5 in the way of something, 7 no room or no answer.
    """


for _command in (*LOOKS, *TRANSFERS):
    files.add_command(_command)


@files.command("mkdir")
@_paths
@root_option
@click.option("--parents", "-p", is_flag=True, help="Make those above them too.")
@json_option
def make_folders(
    paths: tuple[str, ...], root: str, parents: bool, as_json: bool
) -> None:
    """Make folders."""
    made = []
    with Client.from_config() as portal:
        for one in paths:
            place = where(portal, root, one)
            portal.make_folder(place.path, place.root, parents=parents)
            made.append({"root": place.root, "path": place.path})
    if as_json:
        show_json({"made": made})


@files.command("mv")
@_paths
@root_option
@json_option
def move_files(paths: tuple[str, ...], root: str, as_json: bool) -> None:
    """Rename a file or folder, or move several into a folder: SOURCE... TARGET.

    Nothing is ever overwritten.
    """
    if len(paths) < 2:
        raise click.UsageError("Say what, and where to.")
    with Client.from_config() as portal:
        *sources, target = [where(portal, root, one) for one in paths]
        if len({one.root for one in (*sources, target)}) > 1:
            raise click.UsageError("Files move within one root: copy them instead.")
        if len(sources) == 1 and not _is_folder(portal, target):
            portal.rename_file(sources[0].path, target.path, target.root)
            done = Moved((target.path,))
        else:
            given = [one.path for one in sources]
            done = portal.move_files(given, target.path, target.root)
    if as_json:
        show_json(done)
    for refused in done.refused:
        say(f"{shown(refused['path'])}: {refused['message']}")
    if done.refused:
        raise NotAll(f"{len(done.refused)} of {len(sources)} were not moved.")


@files.command("rm")
@_paths
@root_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def delete_files(paths: tuple[str, ...], root: str, yes: bool, as_json: bool) -> None:
    """Delete files, and folders with all that is in them, for good."""
    with Client.from_config() as portal:
        places = [where(portal, root, one) for one in paths]
        if len({one.root for one in places}) > 1:
            raise click.UsageError("Delete in one root at a time.")
        if not yes:
            names = ", ".join(shown(one.path) for one in places[:5])
            more = f" and {len(places) - 5} more" if len(places) > 5 else ""
            click.confirm(f"Delete {names}{more} for good?", abort=True, err=True)
        with steps("Deleting") as step:
            work = portal.delete_files(
                [one.path for one in places], places[0].root,
                lambda now: step(f"{now.done:,} deleted"),
            )  # fmt: skip
    if as_json:
        show_json(work)
    _tell_end(work)


@files.command("edit")
@click.argument("path")
@root_option
def edit_file(path: str, root: str) -> None:
    """Edit a small text file in $EDITOR; a new one if there is none."""
    with Client.from_config() as portal:
        place = where(portal, root, path)
        old = _text_of(portal, place)
        suffix = Path(place.name).suffix or ".txt"
        new = click.edit(old.text if old else "", extension=suffix)
        if new is None or (old is not None and new == old.text):
            say("Nothing was changed.")
            return
        try:
            portal.write_file_text(
                place.path, new, old.version if old else None, place.root
            )
        except PortalError as error:
            kept = Path(f"{place.name or 'text'}.edited")
            with kept.open("x", encoding="utf-8") as file:
                file.write(new)
            hint = f"What you wrote is in {kept} here."
            raise NotAll(error.message, hint) from error
    say(f"{shown(place.path)} is written.")


def _is_folder(portal: Client, place: Where) -> bool:
    try:
        return portal.file_stat(place.path, place.root).kind == "folder"
    except AgentRefused as refused:
        if refused.status == 404:
            return False
        raise


def _text_of(portal: Client, place: Where) -> FileText | None:
    try:
        return portal.file_text(place.path, place.root)
    except AgentRefused as refused:
        if refused.status == 404:
            return None
        raise


def _tell_end(work: FileWork) -> None:
    for one in work.misses:
        say(f"{shown(one['path'])}: {one['message']}")
    if work.error:
        raise PortalError(work.error["message"])
    if work.missed:
        raise NotAll(f"{work.done:,} deleted, {work.missed:,} not.")
