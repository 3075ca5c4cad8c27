"""Trainings and inferences: `kqi training` and `kqi inference` work like the pages."""

from typing import Any, Final

import click

from kqi_hub.cli.data_options import count_option, tenant_filter, tenant_option
from kqi_hub.cli.notebook_figures import span, spent
from kqi_hub.cli.notebook_options import tenant_of
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import moment, nothing_found, show_json, show_table
from kqi_hub.cli.run_changes import CHANGES
from kqi_hub.cli.run_files import FILES
from kqi_hub.cli.run_inside import BOARDS, INSIDE
from kqi_hub.cli.run_making import MAKING
from kqi_hub.cli.run_options import id_argument
from kqi_hub.cli.run_searches import (
    condition_options,
    conditions,
    kept_conditions,
    search,
)
from kqi_hub.cli.run_use import USE
from kqi_hub.cli.run_watching import WATCHING
from kqi_hub.cli.run_words import told
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.run_models import Inference, Run, Training
from kqi_hub.sdk.runs import KINDS

Kind = type[Run]


@click.group()
@click.pass_context
def training(context: click.Context) -> None:
    """Train on your cluster: jobs with a memory, from a command to a result.

    Exit codes: 0 done, 2 something typed is wrong, 4 no such training, 5 its state or
    others forbid it, 7 no answer, 12 Slurm refuses it, 130 you pressed Ctrl-C; `wait`
    ends with the exit code of the job.
    """
    context.obj = Training


@click.group()
@click.pass_context
def inference(context: click.Context) -> None:
    """Use what was trained: jobs that read outputs of trainings.

    Exit codes: 0 done, 2 something typed is wrong, 4 no such inference, 5 its state or
    others forbid it, 7 no answer, 12 Slurm refuses it, 130 you pressed Ctrl-C; `wait`
    ends with the exit code of the job.
    """
    context.obj = Inference


@click.command("script")
@click.argument("kind", type=click.Choice([*KINDS]))
@id_argument
def script(kind: str, run_id: int) -> None:
    """Print the script of a run's job, as `sbatch` takes it."""
    with Client.from_config() as portal:
        click.echo(portal.run_script(KINDS[kind], run_id).removesuffix("\n"))


@click.command("script")
@id_argument
@click.pass_obj
def show_script(kind: Kind, run_id: int) -> None:
    """Print the script of its job, as `sbatch` takes it."""
    with Client.from_config() as portal:
        click.echo(portal.run_script(kind, run_id).removesuffix("\n"))


@click.command("list")
@count_option
@condition_options
@click.option(
    "--search",
    "search_name",
    help="A search that you keep; what you say beside it counts.",
)
@tenant_option
@json_option
@click.pass_obj
def list_runs(
    kind: Kind,
    /,
    count: int,
    tenant: str | None,
    search_name: str | None,
    as_json: bool,
    **said: Any,
) -> None:
    """List them, the newest first."""
    wanted = {**conditions(said), "tenant": tenant_filter(tenant)}
    with Client.from_config() as portal:
        kept = kept_conditions(portal, kind, search_name) if search_name else {}
        found = list(portal.runs(kind, count, **{**kept, **wanted}))
    if as_json:
        show_json(found)
        return
    show_table(
        ("Id", "", "Name", "State", "Queue", "Job", "Owner", "Asked", "Ran", "Cost",
         "Value", "Tags"),
        [_row(one) for one in found],
        nothing_found(f"There is none. Submit one: kqi {kind.kind} create --help"),
    )  # fmt: skip


@click.command("get")
@id_argument
@json_option
@click.pass_obj
def show_run(kind: Kind, run_id: int, as_json: bool) -> None:
    """Show one: its state, why it waits, what was asked for, what came of it."""
    with Client.from_config() as portal:
        found = portal.run(kind, run_id)
    if as_json:
        show_json(found)
        return
    for line in told(found):
        click.echo(line)


@click.command("events")
@id_argument
@json_option
@click.pass_obj
def list_events(kind: Kind, run_id: int, as_json: bool) -> None:
    """List each change of its state, with its time and cause."""
    with Client.from_config() as portal:
        found = portal.run_events(kind, run_id)
    if as_json:
        show_json(found)
        return
    rows = [(moment(int(one.at)), one.state, one.cause) for one in found]
    show_table(("When", "State", "Why"), rows, "Nothing has happened.")


@click.command("tags")
@click.option("--tenant", help="The tenant; the one in use if unsaid.")
@json_option
@click.pass_obj
def list_tags(kind: Kind, tenant: str | None, as_json: bool) -> None:
    """List the tags in use in a tenant."""
    with Client.from_config() as portal:
        found = portal.run_tags(kind, tenant_of(portal, tenant))
    if as_json:
        show_json(found)
        return
    show_table(("Tag",), [(one,) for one in found], "Nothing has a tag.")


def _row(one: Run) -> tuple[object, ...]:
    return (
        *(one.id, "*" if one.is_favourite else "", one.name, one.status, one.queue),
        *(one.job_id, one.owner, moment(int(one.asked_at)), span(one.ran_s)),
        *(_cost(one), one.value, ", ".join(one.tags)),
    )


def _cost(one: Run) -> str:
    is_open = not one.is_live and not one.is_billed
    return spent(one.cost_micro, one.price, is_open=is_open)


_LOOKS: Final = (list_runs, search, show_run, list_events, show_script, list_tags)
for _command in (*_LOOKS, *MAKING, *CHANGES, *WATCHING, *USE, *FILES, *INSIDE):
    training.add_command(_command)
    inference.add_command(_command)
for _command in BOARDS:
    training.add_command(_command)
