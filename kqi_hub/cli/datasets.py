"""Datasets: list, make, change, copy, delete; `kqi dataset` works like the pages."""

import json
import time
from pathlib import Path
from typing import Any, Final, TextIO

import click

from kqi_hub.cli.amounts import counted, size
from kqi_hub.cli.data_fetching import DATASET_COMMANDS
from kqi_hub.cli.data_options import (
    json_file,
    made_options,
    tenant_filter,
    tenant_option,
    yes_option,
)
from kqi_hub.cli.dataset_options import described, entries_of
from kqi_hub.cli.notebook_options import tenant_of
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, moment, nothing_found, say, show_json, show_table
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.datasets import Dataset

LOOK_EVERY_S: Final = 1.0
_id = click.argument("dataset_id", metavar="ID", type=click.IntRange(1))


@click.group()
def dataset() -> None:
    """Group data into datasets, as jobs find them below their input folder.

    Exit codes: 0 done, 2 something typed is wrong, 4 no such dataset, 5 locked or
    changed meanwhile.
    """


for _command in DATASET_COMMANDS:
    dataset.add_command(_command)


@dataset.command("list")
@made_options
@click.option("--data", "data_id", type=click.IntRange(1), help="With this data item.")
@tenant_option
@json_option
def list_datasets(count: int, tenant: str | None, as_json: bool, **wanted: Any) -> None:
    """List datasets, the newest first."""
    wanted["tenant"] = tenant_filter(tenant)
    with Client.from_config() as portal:
        found = list(portal.datasets(count, **wanted))
    if as_json:
        show_json(found)
        return
    show_table(
        ("Id", "Name", "", "Data", "Files", "Size", "Made", "By", "Tenant"),
        [
            (
                *(one.id, one.name, _state(one), one.items, f"{one.files_count:,}"),
                *(size(one.bytes), moment(int(one.created_at)), one.created_by),
                one.tenant,
            )
            for one in found
        ],
        nothing_found("There is none. Make one: kqi dataset create"),
    )


@dataset.command("get")
@_id
@click.option(
    "--destination", "-d", type=click.Path(dir_okay=False, path_type=Path),
    help="Write it there as JSON, as create and update read it.",
)  # fmt: skip
@json_option
def show_dataset(dataset_id: int, destination: Path | None, as_json: bool) -> None:
    """Show a dataset: its types, and what locks it."""
    with Client.from_config() as portal:
        found = portal.dataset(dataset_id)
        entries = portal.dataset_entries(dataset_id) if destination else {}
    if destination is not None:
        said = {"name": found.name, "memo": found.memo, **entries}
        destination.write_text(json.dumps(said, ensure_ascii=False, indent=2) + "\n")
    elif as_json:
        show_json(found)
    else:
        _show(found)


@dataset.command("create")
@click.option("--file", "-f", "file", type=click.File(encoding="utf-8"),
              help="A JSON file with name and entries; - is stdin.")  # fmt: skip
@click.option("--name", "-n", help="Its name.")
@click.option("--memo", "-m", help="A note.")
@click.option(
    "--data", "texts", multiple=True, metavar="TYPE=1,2,10-20",
    help="Data of a type; repeat. With --flat without the type.",
)  # fmt: skip
@click.option("--flat", "is_flat", is_flag=True, help="Without types.")
@click.option("--tenant", help="Its tenant; the one in use if unsaid.")
@json_option
def create_dataset(
    file: TextIO | None,
    texts: tuple[str, ...],
    is_flat: bool,
    tenant: str | None,
    as_json: bool,
    **said: str | None,
) -> None:
    """Make a dataset of data items, from a JSON file or from --data."""
    about: dict[str, Any] = {} if file is None else described(file)
    if file is None:
        about = {"entries": entries_of(texts, is_flat), "is_flat": is_flat}
    elif texts or is_flat:
        raise click.UsageError("--file says what is in it: leave --data and --flat.")
    about |= {name: value for name, value in said.items() if value is not None}
    if not about.get("name"):
        raise click.UsageError("It needs a name: --name, or in the file.")
    with Client.from_config() as portal:
        made = portal.create_dataset(
            tenant_of(portal, tenant),
            str(about["name"]),
            about["entries"],
            memo=str(about.get("memo", "")),
            is_flat=bool(about.get("is_flat", isinstance(about["entries"], list))),
        )
    _made(made, as_json)


@dataset.command("update")
@_id
@json_file
@json_option
def replace_entries(dataset_id: int, file: TextIO, as_json: bool) -> None:
    """Replace all data of a dataset that nothing locks.

    With the changed_at that `get -d` wrote, a change meanwhile is refused.
    """
    about = described(file)
    with Client.from_config() as portal:
        seen = about.get("changed_at") or portal.dataset(dataset_id).changed_at
        found = portal.replace_dataset_entries(dataset_id, about["entries"], seen)
    if as_json:
        show_json(found)
        return
    say(f"Dataset {found.id} has {counted(found.items, 'data item')} now.")


@dataset.command("update-meta-info")
@_id
@click.option("--name", "-n", help="Its new name.")
@click.option("--memo", "-m", help="Its new memo.")
@json_option
def rename_dataset(
    dataset_id: int, name: str | None, memo: str | None, as_json: bool
) -> None:
    """Change name or memo, locked or not; what is not named stays."""
    with Client.from_config() as portal:
        found = portal.rename_dataset(dataset_id, name, memo)
    if as_json:
        show_json(found)
        return
    say(f"Dataset {found.id} is called {found.name}.")


@dataset.command("copy")
@_id
@click.option("--name", "-n", default="", help="Its name; after the first if unsaid.")
@json_option
def copy_dataset(dataset_id: int, name: str, as_json: bool) -> None:
    """Make a dataset with the same data, free to be changed."""
    with Client.from_config() as portal:
        made = portal.copy_dataset(dataset_id, name)
    _made(made, as_json)


@dataset.command("delete")
@_id
@yes_option
@json_option
def delete_dataset(dataset_id: int, yes: bool, as_json: bool) -> None:
    """Delete a dataset that nothing locks; its data stay."""
    with Client.from_config() as portal:
        found = portal.dataset(dataset_id)
        if not yes:
            question = f"Delete dataset {found.id}, {found.name}? Its data stay."
            click.confirm(question, abort=True, err=True)
        portal.delete_dataset(dataset_id)
    finish(f"Dataset {dataset_id} is deleted.", as_json, id=dataset_id)


@dataset.command("list-data")
@_id
@click.option("--type", "-t", "type_", help="Only of this type.")
@json_option
def list_items(dataset_id: int, type_: str | None, as_json: bool) -> None:
    """List the data items of a dataset."""
    with Client.from_config() as portal:
        found = list(portal.dataset_items(dataset_id, type_))
    if as_json:
        show_json(found)
        return
    show_table(
        ("Type", "Id", "Name", "Files", "Size", "Tags"),
        [
            (
                *(one.type, one.id, one.name, f"{one.files:,}", size(one.bytes)),
                ", ".join(one.tags),
            )
            for one in found
        ],
        "It has no data.",
    )


@dataset.command("list-path-pairs")
@_id
@json_option
def list_path_pairs(dataset_id: int, as_json: bool) -> None:
    """List what a job would see: each file, and which data it comes from."""
    with Client.from_config() as portal:
        found = list(portal.dataset_files(dataset_id))
    if as_json:
        show_json(found)
        return
    show_table(
        ("Below the input folder", "Data", "Name", "Size"),
        [(one.path, one.data_id, one.data_name, f"{one.size:,}") for one in found],
        "A job would see no file.",
    )


@dataset.command("list-data-types")
@click.option("--tenant", help="The tenant; the one in use if unsaid.")
@json_option
def list_types(tenant: str | None, as_json: bool) -> None:
    """List a tenant's types of data."""
    with Client.from_config() as portal:
        found = portal.dataset_types(tenant_of(portal, tenant))
    if as_json:
        show_json(found)
        return
    click.echo("\n".join(found))


@dataset.command("stage")
@_id
@json_option
def stage_dataset(dataset_id: int, as_json: bool) -> None:
    """Have a dataset ready for jobs as a folder of links; print the folder."""
    with Client.from_config() as portal:
        found = portal.stage_dataset(dataset_id)
        while found.state == "building":
            say(f"Files linked: {found.done:,} of {found.files:,}.")
            time.sleep(LOOK_EVERY_S)
            found = portal.stage_dataset(dataset_id)
    if as_json:
        show_json(found)
        return
    click.echo(found.path)


def _made(made: Dataset, as_json: bool) -> None:
    if as_json:
        show_json(made)
        return
    say(f"Made dataset {made.id}, {made.name}, of {counted(made.items, 'data item')}.")


def _state(one: Dataset) -> str:
    words = ("locked" if one.is_locked else "", "flat" if one.is_flat else "")
    return " ".join(filter(None, words))


def _show(found: Dataset) -> None:
    types = ", ".join(f"{name or 'flat'} {count}" for name, count in found.types)
    lines = (
        ("Dataset", f"{found.id}  {found.name}"),
        ("Tenant", found.tenant),
        ("Made", f"{moment(int(found.created_at))} by {found.created_by}"),
        ("Data", f"{found.items} ({types})"),
        ("Files", f"{found.files_count:,}, {size(found.bytes)}"),
        ("Memo", found.memo),
    )
    for label, value in lines:
        click.echo(f"{label + ':':<9}{value or '-'}")
    for one in found.blockers:
        click.echo(f"Locked by {one.kind} {one.id} {one.name}".rstrip())
