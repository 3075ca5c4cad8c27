"""Preprocessings: `kqi preprocessing` works like the pages."""

from typing import Any, Final

import click

from kqi_hub.cli.amounts import counted
from kqi_hub.cli.array_use import show_array_use
from kqi_hub.cli.data_options import made_options, tenant_filter, tenant_option
from kqi_hub.cli.notebook_options import tenant_of
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, moment, nothing_found, say, show_json, show_table
from kqi_hub.cli.outside_results import OUTSIDE
from kqi_hub.cli.preprocessing_history import HISTORY
from kqi_hub.cli.preprocessing_options import (
    data_option,
    how,
    id_argument,
    numbers,
    recipe,
    recipe_options,
    running_options,
)
from kqi_hub.cli.run_estimates import show_estimate
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.preprocessings import Preprocessing

_AT_ONCE: Final = 1000


@click.group()
def preprocessing() -> None:
    """Make new data from data: the same command on many items, as one array.

    Exit codes: 0 done, 2 something typed is wrong, 4 no such preprocessing, 5 it has
    been run already or something needs what it made, 7 no answer, 12 it could never
    start.
    """


for _command in (*HISTORY, *OUTSIDE, show_array_use):
    preprocessing.add_command(_command)


@preprocessing.command("list")
@made_options
@click.option("--created-by", help="Part of who made it; !x: without.")
@click.option("--sort", help="id, name, created_at, changed_at; - before: down.")
@tenant_option
@json_option
def list_preprocessings(
    count: int, tenant: str | None, as_json: bool, **wanted: Any
) -> None:
    """List preprocessings, the newest first."""
    wanted["tenant"] = tenant_filter(tenant)
    with Client.from_config() as portal:
        found = list(portal.preprocessings(count, **wanted))
    if as_json:
        show_json(found)
        return
    show_table(
        ("Id", "Name", "Locked", "Made", "By", "Tenant", "Memo"),
        [
            (
                *(one.id, one.name, "locked" if one.is_locked else ""),
                *(moment(int(one.created_at)), one.created_by, one.tenant, one.memo),
            )
            for one in found
        ],
        nothing_found("There is none. Define one: kqi preprocessing create --help"),
    )


@preprocessing.command("get")
@id_argument
@json_option
def show_preprocessing(preprocessing_id: int, as_json: bool) -> None:
    """Show one: what it does, and whether that may still change."""
    with Client.from_config() as portal:
        found = portal.preprocessing(preprocessing_id)
    if as_json:
        show_json(found)
        return
    _show(found)


@preprocessing.command("create")
@click.option("--name", "-n", required=True, help="Its name.")
@click.option("--tenant", help="Its tenant; the one in use if unsaid.")
@recipe_options
@json_option
def create_preprocessing(
    name: str, tenant: str | None, as_json: bool, **said: Any
) -> None:
    """Define one; only its name is needed until it is run.

    The command finds a data item in /kqi/input/NUMBER, and each folder that it makes
    in /kqi/output becomes new data.
    """
    about = recipe(said, None)
    with Client.from_config() as portal:
        made = portal.create_preprocessing(tenant_of(portal, tenant), name, **about)
    if as_json:
        show_json(made)
        return
    say(f"Made preprocessing {made.id}, {made.name}.")


@preprocessing.command("update")
@id_argument
@click.option("--name", "-n", help="Its new name.")
@recipe_options
@json_option
def update_preprocessing(
    preprocessing_id: int, name: str | None, as_json: bool, **said: Any
) -> None:
    """Change it; after its first run only name, memo and size."""
    with Client.from_config() as portal:
        known = portal.preprocessing(preprocessing_id)
        changes = recipe(said, dict(known.shape))
        if name is not None:
            changes["name"] = name
        if not changes:
            raise click.UsageError("Say what is to change: --name, --memo, --cpus …")
        found = portal.change_preprocessing(preprocessing_id, **changes)
    if as_json:
        show_json(found)
        return
    say(f"Preprocessing {found.id} is changed.")


@preprocessing.command("delete")
@id_argument
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def delete_preprocessing(preprocessing_id: int, yes: bool, as_json: bool) -> None:
    """Delete one of which no run is there any more."""
    if not yes:
        question = f"Delete preprocessing {preprocessing_id}?"
        click.confirm(question, abort=True, err=True)
    with Client.from_config() as portal:
        portal.delete_preprocessing(preprocessing_id)
    said = f"Preprocessing {preprocessing_id} is deleted."
    finish(said, as_json, id=preprocessing_id)


@preprocessing.command("run")
@id_argument
@data_option
@running_options
@click.option("--estimate", is_flag=True, help="Only say what it costs and meets.")
@json_option
def run_preprocessing(
    preprocessing_id: int,
    data: tuple[str, ...],
    estimate: bool,
    as_json: bool,
    **said: Any,
) -> None:
    """Run it once on each of these data: all of them are one array of Slurm."""
    wanted, queue = numbers(data), said.pop("queue")
    with Client.from_config() as portal:
        known = portal.preprocessing(preprocessing_id)
        about = how(said, dict(known.shape))
        if estimate:
            found = portal.estimate_preprocessing(known.id, queue, wanted, **about)
            show_estimate(found, as_json)
            return
        made = portal.run_preprocessing(known.id, queue, wanted, **about)
    if as_json:
        show_json(made)
        return
    over = f" Passed over: {len(made.passed_over)}." if made.passed_over else ""
    say(
        f"Submitted {counted(len(made.runs), 'run')} of {known.name} as one array."
        f"{over} See them: kqi preprocessing list-histories {known.id}"
    )


def _show(found: Preprocessing) -> None:
    shape, source = found.shape, found.source or {}
    gpus = f", {shape['gpus']} GPU" if shape.get("gpus") else ""
    lines = (
        ("Preprocessing", f"{found.id}  {found.name}"),
        ("Tenant", found.tenant),
        ("Made", f"{moment(int(found.created_at))} by {found.created_by}"),
        ("Size", f"{shape['cpus']} CPU, {shape['memory_mb']} MB{gpus}"),
        ("Environment", found.environment),
        ("Image", found.image),
        ("Code", " ".join(filter(None, (source.get("url"), source.get("ref"))))),
        ("Command", found.command.strip()),
        ("Memo", found.memo),
    )
    for label, value in lines:
        click.echo(f"{label + ':':<15}{value or '-'}")
    if found.is_locked:
        click.echo("It has been run: what it does cannot be changed any more.")
