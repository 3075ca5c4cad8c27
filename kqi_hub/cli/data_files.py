"""The files of data: list, add, take off, fetch."""

from typing import Final

import click

from kqi_hub.cli.amounts import files, size
from kqi_hub.cli.data_options import (
    guarded,
    sending_options,
    sending_with_bar,
    sources_option,
    yes_option,
)
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, say, show_json, show_table
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.data import DataFile

_id = click.argument("data_id", metavar="ID", type=click.IntRange(1))


@click.command("list-files")
@_id
@click.option("--sums", is_flag=True, help="As sha256sum -c reads it.")
@json_option
def list_files(data_id: int, sums: bool, as_json: bool) -> None:
    """List the files with their sizes and SHA-256."""
    with Client.from_config() as portal:
        if sums:
            for one in portal.data_files(data_id):
                click.echo(_sum_line(one))
            return
        found = list(portal.data_files(data_id))
    if as_json:
        show_json(found)
        return
    show_table(
        ("File", "Size", "SHA-256"),
        [(_shown(one.path), f"{one.size:,}", one.sha256) for one in found],
        "These data have no files.",
    )


@click.command("upload-files")
@_id
@sources_option
@sending_options
@json_option
def upload_files(
    data_id: int,
    sources: tuple[str, ...],
    connections: int,
    patience: int,
    as_json: bool,
) -> None:
    """Put more files into a data item that nothing needs as it is."""
    what = f"data {data_id}"
    with (
        Client.from_config() as portal,
        guarded(sources, what) as guard,
        sending_with_bar(connections, patience) as sending,
    ):
        found = portal.add_data_files(
            data_id, sources, sending=sending, begun=guard.begun
        )
    if as_json:
        show_json(found)
        return
    say(f"Data {found.id} have {files(found.files)} now, {size(found.bytes)}.")


@click.command("delete-file")
@_id
@click.option(
    "--file", "-f", "paths", multiple=True, required=True,
    help="Path as kqi data list-files prints it; repeat.",
)  # fmt: skip
@yes_option
@json_option
def delete_files(
    data_id: int, paths: tuple[str, ...], yes: bool, as_json: bool
) -> None:
    """Take files off a data item that nothing needs as it is."""
    if not yes:
        question = f"Take {files(len(paths))} off data {data_id}, for everybody?"
        click.confirm(question, abort=True, err=True)
    with Client.from_config() as portal:
        portal.remove_data_files(data_id, paths)
    said = f"{files(len(paths))} taken off data {data_id}."
    finish(said, as_json, id=data_id, files=list(paths))


def _sum_line(one: DataFile) -> str:
    escaped = one.path.replace("\\", "\\\\")
    mark = "\\" if escaped != one.path else ""
    return f"{mark}{one.sha256}  {escaped}"


def _shown(path: str) -> str:
    return path if path.isprintable() else ascii(path)


FILE_COMMANDS: Final = (list_files, upload_files, delete_files)
