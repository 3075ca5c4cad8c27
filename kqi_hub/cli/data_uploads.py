"""Uploads that are not finished: list, go on, drop."""

from typing import Final

import click

from kqi_hub.cli import upload_memory
from kqi_hub.cli.amounts import files, size
from kqi_hub.cli.data_options import guarded, sending_options, sending_with_bar
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, moment, say, show_json, show_table
from kqi_hub.sdk.client import Client

_key = click.argument("key")


@click.command("uploads")
@json_option
def list_uploads(as_json: bool) -> None:
    """List your uploads that are not finished, and until when they are kept."""
    with Client.from_config() as portal:
        found = portal.uploads()
    if as_json:
        show_json(found)
        return
    show_table(
        ("Upload", "Data", "State", "Files", "Size", "Arrived", "Kept until", "Here"),
        [
            (
                *(one.key, one.data_id, one.state, f"{one.files:,}", size(one.bytes)),
                size(one.received_bytes),
                moment(int(one.expires_at)),
                ", ".join(upload_memory.sources_of(one.key)) or "-",
            )
            for one in found
        ],
        "You have no unfinished uploads.",
    )


@click.command("resume")
@_key
@click.option(
    "--file", "-f", "sources", multiple=True, type=click.Path(),
    help="The same files and folders; needed on another machine only.",
)  # fmt: skip
@sending_options
@json_option
def resume_upload(
    key: str,
    sources: tuple[str, ...],
    connections: int,
    patience: int,
    as_json: bool,
) -> None:
    """Go on with an upload where it was interrupted."""
    known = sources or upload_memory.sources_of(key)
    if not known:
        raise click.UsageError(
            "This machine does not know what this upload sends: name it with --file."
        )
    with Client.from_config() as portal, guarded(known, key) as guard:
        guard.upload = portal.upload(key)
        with sending_with_bar(connections, patience) as sending:
            made = portal.resume_upload(key, known, sending=sending)
    if as_json:
        show_json(made)
        return
    say(f"Data {made.id}, {made.name}: {files(made.files)}, {size(made.bytes)}.")


@click.command("drop")
@_key
@json_option
def drop_upload(key: str, as_json: bool) -> None:
    """Give an upload up, and what has arrived of it."""
    with Client.from_config() as portal:
        portal.drop_upload(key)
    upload_memory.forget(key)
    finish("The upload is dropped.", as_json, key=key)


UPLOAD_COMMANDS: Final = (list_uploads, resume_upload, drop_upload)
