"""Data: list, make, tag, change, delete; `kqi data` works like the pages."""

import json
from pathlib import Path
from typing import Any, Final

import click

from kqi_hub.cli.amounts import files, size
from kqi_hub.cli.data_fetching import DATA_COMMANDS
from kqi_hub.cli.data_files import FILE_COMMANDS
from kqi_hub.cli.data_options import (
    guarded,
    made_options,
    sending_options,
    sending_with_bar,
    tenant_filter,
    tenant_option,
    yes_option,
)
from kqi_hub.cli.data_uploads import UPLOAD_COMMANDS
from kqi_hub.cli.notebook_options import tenant_of
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import (
    finish,
    moment,
    nothing_found,
    plain,
    say,
    show_json,
    show_table,
)
from kqi_hub.cli.progress import bar, work_told
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.data import DataDetails, Outcome
from kqi_hub.sdk.errors import PortalError

NUMBER: Final = click.IntRange(1)
_id = click.argument("data_id", metavar="ID", type=NUMBER)
_ids = click.argument("data_ids", metavar="ID...", type=NUMBER, nargs=-1, required=True)


@click.group()
def data() -> None:
    """Keep data of your tenants: named bundles of files, for datasets and jobs.

    Exit codes: 0 done, 2 something typed is wrong, 4 no such data, 5 in use or changed
    meanwhile, 7 no room or no answer, 130 you pressed Ctrl-C.
    """


for _command in (*FILE_COMMANDS, *DATA_COMMANDS, *UPLOAD_COMMANDS):
    data.add_command(_command)


@data.command("list")
@made_options
@click.option("--created-by", help="Part of who made it; !x: without.")
@click.option("--tag", "tags", multiple=True, help="A tag, repeat; !x: without it.")
@click.option("--sort", help="id, name, created_at, files, bytes; - before: down.")
@tenant_option
@json_option
def list_data(
    count: int, tags: tuple[str, ...], tenant: str | None, as_json: bool, **wanted: Any
) -> None:
    """List data, the newest first."""
    wanted |= {"tenant": tenant_filter(tenant), "tag": ",".join(tags)}
    with Client.from_config() as portal:
        found = list(portal.data(count, **wanted))
    if as_json:
        show_json(found)
        return
    show_table(
        ("Id", "Name", "Files", "Size", "Tags", "Made", "By", "Tenant"),
        [
            (
                *(one.id, one.name, f"{one.files:,}", size(one.bytes)),
                ", ".join(one.tags),
                *(moment(int(one.created_at)), one.created_by, one.tenant),
            )
            for one in found
        ],
        nothing_found("There are none. Make some: kqi data create -n NAME -f FOLDER"),
    )


@data.command("get")
@_id
@click.option(
    "--destination", "-d", type=click.Path(dir_okay=False, path_type=Path),
    help="Write the description there as JSON.",
)  # fmt: skip
@json_option
def show_data(data_id: int, destination: Path | None, as_json: bool) -> None:
    """Show a data item: what it was made from, and what needs it."""
    with Client.from_config() as portal:
        found = portal.data_item(data_id)
    if destination is not None:
        destination.write_text(json.dumps(plain(found), indent=2) + "\n")
    elif as_json:
        show_json(found)
    else:
        _show(found)


@data.command("create")
@click.option("--name", "-n", required=True, help="Its name.")
@click.option(
    "--file", "-f", "sources", multiple=True, type=click.Path(),
    help="A file or folder here; repeat. A folder keeps its name, with a slash at its "
    "end only what is in it is taken.",
)  # fmt: skip
@click.option(
    "--from-scratch", "taken", multiple=True, metavar="PATH",
    help="A file or folder on scratch, taken by reference; repeat. Absolute, or from "
    "your own folder there on.",
)  # fmt: skip
@click.option("--memo", "-m", default="", help="A note.")
@click.option("--tag", "-t", "tags", multiple=True, help="A tag; repeat.")
@click.option("--parent", "parents", type=NUMBER, multiple=True, help="Made from it.")
@click.option("--tenant", help="Its tenant; the one in use if unsaid.")
@sending_options
@json_option
def create_data(
    name: str,
    sources: tuple[str, ...],
    taken: tuple[str, ...],
    tenant: str | None,
    as_json: bool,
    **said: Any,
) -> None:
    """Make a data item of files and folders; it shows when all have arrived.

    Whatever interrupts it, `kqi data resume` goes on where it was.
    """
    how = said.pop("connections"), said.pop("patience")
    if bool(sources) is bool(taken):
        raise click.UsageError("Name files with --file, or with --from-scratch.")
    if taken:
        _create_from_scratch(name, taken, tenant, as_json, said)
        return
    with (
        Client.from_config() as portal,
        guarded(sources, name) as guard,
        sending_with_bar(*how) as sending,
    ):
        made = portal.create_data(
            tenant_of(portal, tenant),
            name,
            sources,
            sending=sending,
            begun=guard.begun,
            **said,
        )
    if as_json:
        show_json(made)
        return
    say(f"Made data {made.id}, {made.name}: {files(made.files)}, {size(made.bytes)}.")


def _create_from_scratch(
    name: str,
    taken: tuple[str, ...],
    tenant: str | None,
    as_json: bool,
    about: dict[str, Any],
) -> None:
    with Client.from_config() as portal, bar("Taking") as tell:
        where = tenant_of(portal, tenant)
        made = portal.create_data_from_scratch(
            where, name, taken, tell=work_told(tell), **about
        )
    if as_json:
        show_json(made)
        return
    found = made.data
    how = f"{made.reflinked:,} cloned, {made.copied:,} copied"
    say(
        f"Made data {found.id}, {found.name}: {files(found.files)}, "
        f"{size(found.bytes)} ({how}). Your own files stay as they are."
    )


@data.command("update")
@_id
@click.option("--name", "-n", help="Its new name.")
@click.option("--memo", "-m", help="Its new memo.")
@click.option("--tag", "-t", "tags", multiple=True, help="All its tags from now on.")
@click.option("--no-tags", is_flag=True, help="No tags from now on.")
@json_option
def update_data(
    data_id: int,
    name: str | None,
    memo: str | None,
    tags: tuple[str, ...],
    no_tags: bool,
    as_json: bool,
) -> None:
    """Change name, memo or tags; what is not named stays."""
    if tags and no_tags:
        raise click.UsageError("--tag and --no-tags say opposite things.")
    with Client.from_config() as portal:
        found = portal.data_item(data_id)
        if name is not None or memo is not None:
            found = portal.change_data(data_id, name, memo)
        if tags or no_tags:
            for one in set(tags) - set(found.tags):
                portal.tag_data(data_id, one)
            for one in set(found.tags) - set(tags):
                portal.untag_data(data_id, one)
            found = portal.data_item(data_id)
    if as_json:
        show_json(found)
        return
    say(f"Data {found.id} are changed.")


@data.command("tag")
@click.argument("tag")
@_ids
@click.option("--remove", is_flag=True, help="Take it off instead.")
@json_option
def tag_data(tag: str, data_ids: tuple[int, ...], remove: bool, as_json: bool) -> None:
    """Tag many data items at once."""
    with Client.from_config() as portal:
        done = portal.change_many_data(data_ids, "untag" if remove else "tag", tag)
    _tell_many(done, as_json)


@data.command("tags")
@click.option("--tenant", help="The tenant; the one in use if unsaid.")
@json_option
def list_tags(tenant: str | None, as_json: bool) -> None:
    """List the tags in use in a tenant."""
    with Client.from_config() as portal:
        found = portal.data_tags(tenant_of(portal, tenant))
    if as_json:
        show_json(found)
        return
    show_table(("Tag", "Data"), found.items(), "No data have a tag.")


@data.command("delete")
@_ids
@yes_option
@json_option
def delete_data(data_ids: tuple[int, ...], yes: bool, as_json: bool) -> None:
    """Delete data items with their files; what is in use is refused with why."""
    if not yes:
        shown = ", ".join(map(str, data_ids))
        question = f"Delete data {shown} with all their files, for everybody?"
        click.confirm(question, abort=True, err=True)
    with Client.from_config() as portal:
        if len(data_ids) == 1:
            portal.delete_data(data_ids[0])
            done: tuple[Outcome, ...] = (Outcome(data_ids[0], True),)
            finish(f"Data {data_ids[0]} are deleted.", as_json, outcomes=plain(done))
            return
        done = portal.change_many_data(data_ids, "delete")
    _tell_many(done, as_json)


@data.command("blockers")
@_id
@json_option
def list_blockers(data_id: int, as_json: bool) -> None:
    """Say what keeps a data item from being changed or deleted."""
    with Client.from_config() as portal:
        found = portal.data_blockers(data_id)
    if as_json:
        show_json(found)
        return
    show_table(
        ("What", "Id", "Name", "Why"),
        [(one.kind, one.id, one.name, one.why) for one in found],
        "Nothing does.",
    )


def _tell_many(done: tuple[Outcome, ...], as_json: bool) -> None:
    failed = [one for one in done if not one.done]
    said = f"{len(done) - len(failed)} of {len(done)} done."
    finish(said, as_json, outcomes=plain(done))
    for one in failed:
        say(f"data {one.id}: {one.detail}")
    if failed:
        error = PortalError(f"{len(failed)} of {len(done)} were refused.", "See above.")
        error.exit_code = 5
        raise error


def _show(found: DataDetails) -> None:
    lines = (
        ("Data", f"{found.id}  {found.name}"),
        ("Tenant", found.tenant),
        ("Made", f"{moment(int(found.created_at))} by {found.created_by}"),
        ("Files", f"{found.files:,}, {size(found.bytes)} (version {found.version})"),
        ("Tags", ", ".join(found.tags)),
        ("Memo", found.memo),
        ("Made from", ", ".join(f"{x['id']} {x['name']}" for x in found.made_from)),
        ("Made to", ", ".join(f"{x['id']} {x['name']}" for x in found.made_to)),
    )
    for label, value in lines:
        click.echo(f"{label + ':':<11}{value or '-'}")
    for one in found.blockers:
        click.echo(f"Needed as it is by {one.kind} {one.id} {one.name} ({one.why})")
