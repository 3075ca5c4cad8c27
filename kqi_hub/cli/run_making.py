"""Submit trainings and inferences: `create`, and `copy` of what ran before."""

from dataclasses import dataclass, fields
from typing import Any, Final

import click

from kqi_hub.cli.notebook_options import tenant_of
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import say, show_json
from kqi_hub.cli.run_estimates import show_estimate
from kqi_hub.cli.run_options import choice_options, chosen, id_argument
from kqi_hub.cli.run_watching import finish
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.run_models import Run

Kind = type[Run]
_HOW: Final = (
    click.option("--estimate", is_flag=True, help="Only say what it costs and meets."),
    click.option(
        "--prepare", is_flag=True, help="Only make its script, to submit by hand."
    ),
    click.option("--wait", is_flag=True, help="Wait for its end; exit as the job."),
    click.option(
        "--forget-refused", is_flag=True, help="Keep no record if Slurm refuses it."
    ),
)


@dataclass(frozen=True, slots=True)
class How:
    """How a run is submitted, or not."""

    estimate: bool
    prepare: bool
    wait: bool
    forget_refused: bool


def _how_options(command: Any) -> Any:
    for option in reversed(_HOW):
        command = option(command)
    return command


@click.command("create")
@click.option("--name", "-n", required=True, help="Its name.")
@click.option("--tenant", help="The tenant to charge; the one in use if unsaid.")
@choice_options
@_how_options
@json_option
@click.pass_obj
def create_run(
    kind: Kind, /, name: str, tenant: str | None, as_json: bool, **said: Any
) -> None:
    """Submit one to Slurm.

    Lines of several commands are best in a file: --command-file train.sh.
    """
    how = _taken(said)
    choices = {"name": name, **chosen(said)}
    with Client.from_config() as portal:
        where = tenant_of(portal, tenant)
        _submit(portal, kind, where, choices, as_json, how)


@click.command("copy")
@id_argument
@click.option("--name", "-n", help="Its name; that of the first one if unsaid.")
@click.option("--tenant", help="The tenant; that of the first one if unsaid.")
@choice_options
@_how_options
@json_option
@click.pass_obj
def copy_run(
    kind: Kind,
    /,
    run_id: int,
    name: str | None,
    tenant: str | None,
    as_json: bool,
    **said: Any,
) -> None:
    """Submit one like ID; what is said here is different.

    Lists, such as those of --tag or --env, are replaced whole.
    """
    how, changes = _taken(said), chosen(said)
    with Client.from_config() as portal:
        choices = {**portal.run_choices(kind, run_id), **changes}
        where = str(choices.pop("tenant"))
        if name is not None:
            choices["name"] = name
        _submit(portal, kind, tenant or where, choices, as_json, how)


def _taken(said: dict[str, Any]) -> How:
    """Take what says how it is submitted off what says what is."""
    how = How(**{one.name: bool(said.pop(one.name)) for one in fields(How)})
    if how.wait and how.prepare:
        raise click.UsageError("--wait waits for ever after --prepare.")
    return how


def _submit(
    portal: Client,
    kind: Kind,
    tenant: str,
    choices: dict[str, Any],
    as_json: bool,
    how: How,
) -> None:
    if how.estimate:
        show_estimate(portal.estimate_run(kind, tenant, **choices), as_json)
        return
    run = portal.submit(
        kind,
        tenant,
        prepare=how.prepare,
        keep_refused=not how.forget_refused,
        **choices,
    )
    what = f"{kind.kind} {run.id}, {run.name}"
    if how.prepare:
        say(f"Prepared {what}. Submit it: kqi script {kind.kind} {run.id} | sbatch")
    else:
        say(f"Submitted {what}. Follow it: kqi {kind.kind} logs -f {run.id}")
    if how.wait:
        finish(portal, run, as_json)
    elif as_json:
        show_json(run)


MAKING: Final = (create_run, copy_run)
