"""Look at files: `kqi files roots`, `ls`, `cat`, `du`."""

import sys
from itertools import islice
from typing import Any, Final

import click

from kqi_hub.cli.amounts import counted, files, size
from kqi_hub.cli.file_places import Where, root_option, shown, where
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import moment, say, show_json, show_table
from kqi_hub.cli.steps import steps
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.file_models import FileEntry

_COUNT: Final = 1000
_MARKS: Final = {"folder": "/", "link": "@", "other": "="}
_path = click.argument("path", default="")


@click.command("roots")
@json_option
def list_roots(as_json: bool) -> None:
    """List where paths may begin, and the room there."""
    with Client.from_config() as portal:
        found = portal.file_roots()
    if as_json:
        show_json(found)
        return
    show_table(
        ("Root", "Folder", "", "Free", "Files free"),
        [
            (
                *(one.root, one.absolute, "" if one.may_change else "read only"),
                *(size(one.free_bytes), f"{one.free_files:,}"),
            )
            for one in found
        ],
        "There is no folder that you may look into.",
    )


@click.command("ls")
@_path
@root_option
@click.option(
    "--sort", type=click.Choice(["name", "size", "time"]), default="name",
    help="name (the default), size or time.",
)  # fmt: skip
@click.option(
    "--reverse", "-r", "descending", is_flag=True, help="The other way round."
)
@click.option("--filter", "match", default="", help="Part of a name, or *.csv.")
@click.option("--all", "-a", "hidden", is_flag=True, help="Names with a dot too.")
@click.option("--count", type=click.IntRange(1), default=_COUNT,
              help=f"How many at most, defaults to {_COUNT}.")  # fmt: skip
@json_option
def list_files(path: str, root: str, count: int, as_json: bool, **wanted: Any) -> None:
    """List a folder, folders first, or tell of one file."""
    with Client.from_config() as portal:
        place = where(portal, root, path)
        if about := _file(portal, place):
            found = [about]
        else:
            every = portal.files(place.path, place.root, **wanted)
            found = list(islice(every, count + 1))
    empty = "There is nothing in it." if place.path else "Your folder is empty."
    show_entries(found, count, as_json, empty)


def show_entries(found: list[FileEntry], count: int, as_json: bool, empty: str) -> None:
    """Show up to `count` entries, and say that there are more where one more is."""
    if as_json:
        show_json(found[:count])
        return
    show_table(
        ("Name", "Size", "Changed", "Mode"),
        [_row(one) for one in found[:count]],
        empty,
    )
    if len(found) > count:
        say(f"There are more than {count:,}: --count or --filter shows others.")


@click.command("cat")
@click.argument("path")
@root_option
@click.option("--from", "start", type=click.IntRange(0), default=0,
              help="First byte, defaults to 0.")  # fmt: skip
def print_file(path: str, root: str, start: int) -> None:
    """Write a file's content to standard output, as it is."""
    with Client.from_config() as portal:
        place = where(portal, root, path)
        for piece in portal.read_file(place.path, place.root, start):
            sys.stdout.buffer.write(piece)
    sys.stdout.flush()


@click.command("du")
@_path
@root_option
@json_option
def count_use(path: str, root: str, as_json: bool) -> None:
    """Count what is below a folder, the largest of its entries first."""
    with Client.from_config() as portal, steps("Counting") as step:
        place = where(portal, root, path)
        found = portal.file_use(
            place.path, place.root,
            lambda now: step(f"{files(now.files)}, {size(now.on_disk)}"),
        )  # fmt: skip
    if as_json:
        show_json(found)
        return
    show_table(
        ("Name", "On disk", "Files"),
        [
            (shown(one["name"]), size(one["bytes"]), f"{one['files']:,}")
            for one in found.entries
        ],
        "There is nothing in it.",
    )
    say(
        f"{size(found.on_disk)} on disk, {size(found.bytes)} long: "
        f"{files(found.files)} in {counted(found.folders, 'folder')}."
    )
    if found.missed:
        say(f"{found.missed:,} could not be looked into.")


def _file(portal: Client, place: Where) -> FileEntry | None:
    """Return what is no folder as an entry."""
    about = portal.file_stat(place.path, place.root)
    if about.kind == "folder":
        return None
    told = about.kind, about.size, about.changed_at, about.mode
    return FileEntry(place.name, *told)


def _row(one: FileEntry) -> tuple[object, ...]:
    name = shown(one.name) + _MARKS.get(one.kind, "")
    if one.link:
        name += f" -> {shown(one.link['text'])}"
    length = f"{one.size:,}" if one.kind == "file" else ""
    return name, length, moment(int(one.changed_at)), one.mode


LOOKS: Final = (list_roots, list_files, print_file, count_use)
