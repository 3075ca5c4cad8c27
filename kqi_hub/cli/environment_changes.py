"""Work on environments: each is one command, followed to its end."""

from typing import Any, Final

import click

from kqi_hub.cli.amounts import counted
from kqi_hub.cli.environment_options import (
    complete,
    environment_named,
    order_options,
    source_of,
    source_options,
    where_of,
)
from kqi_hub.cli.environment_wait import follow
from kqi_hub.cli.output import say, show_json
from kqi_hub.sdk.agent_calls import AgentRefused
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.environments import EnvironmentTask

_name = click.argument("name", shell_complete=complete)
_yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@click.command("setup")
@click.option("--base", help="What it begins with; the site's usual base if unsaid.")
@order_options
def set_up(base: str | None, **said: Any) -> None:
    """Make your first environment, `notebook`, with its kernel and plug-ins."""
    _order("setup", "notebook", {"base": base}, said)


@click.command("create")
@click.argument("name")
@source_options
@order_options
def create_environment(name: str, **said: Any) -> None:
    """Make an environment called NAME; of the site's usual base if unsaid."""
    with Client.from_config() as portal:
        source = source_of(portal, said)
        _run(portal, "create", name, source, said)


@click.command("import")
@click.argument("name")
@click.argument("file", type=click.File(encoding="utf-8"))
@order_options
def import_environment(name: str, file: Any, **said: Any) -> None:
    """Make an environment called NAME from an export in any form; - is stdin."""
    _order("create", name, {"import": file.read()}, said)


@click.command("reset")
@_name
@click.option(
    "--base", help="Begin with this base; the one it was made from if unsaid."
)
@click.option("--bring-back", is_flag=True, help="Then install your packages again.")
@_yes
@order_options
def reset_environment(
    name: str, base: str | None, bring_back: bool, yes: bool, **said: Any
) -> None:
    """Make an environment anew; your files stay, packages of yours are listed first."""
    with Client.from_config() as portal:
        found = environment_named(portal, name)
        _confirm(
            f"Reset {found.name}? Packages that you installed into it and whatever "
            "else lies in its folder are lost; their list, your workspace and your "
            "other environments stay.",
            yes,
        )
        options: dict[str, object] = {"base": base, "bring_back": bring_back or None}
        _run(portal, "reset", found.name, options, said)


@click.command("delete")
@_name
@_yes
@order_options
def delete_environment(name: str, yes: bool, **said: Any) -> None:
    """Delete an environment and its kernel; files of your workspace stay."""
    with Client.from_config() as portal:
        found = environment_named(portal, name)
        _confirm(
            f"Delete {found.name}? Its {counted(found.packages, 'package')} and its "
            "kernel are lost; their list and your workspace stay.",
            yes,
        )
        _run(portal, "delete", found.name, {}, said)


@click.command("verify")
@_name
@order_options
def verify_environment(name: str, **said: Any) -> None:
    """Start each kernel of an environment and say which answer."""
    _order("verify", name, {}, said)


@click.command("repair")
@_name
@order_options
def repair_environment(name: str, **said: Any) -> None:
    """Find out what is wrong with an environment, and put right what can be."""
    _order("repair", name, {}, said)


@click.command("bring-back")
@_name
@order_options
def bring_back(name: str, **said: Any) -> None:
    """Install again what an environment held before its last reset."""
    _order("bring-back", name, {}, said)


@click.command("plugins")
@_name
@order_options
def add_plugins(name: str, **said: Any) -> None:
    """Give an environment ipyparallel's profile for Slurm, TensorBoard, resources."""
    _order("plugins", name, {}, said)


def _order(
    operation: str, name: str, options: dict[str, object], said: dict[str, Any]
) -> None:
    with Client.from_config() as portal:
        _run(portal, operation, name, options, said)


def _run(
    portal: Client,
    operation: str,
    name: str,
    options: dict[str, object],
    said: dict[str, Any],
) -> None:
    where = where_of(portal, said["queue"], said["tenant"])
    try:
        task = portal.order_environment(operation, name, **options, **where)
    except AgentRefused as error:
        if error.task and not error.hint:
            error.hint = f"Follow it: kqi env log {error.task} --follow"
        raise
    if said["wait"]:
        task = follow(portal, task)
    if said["as_json"]:
        show_json(task)
    elif not said["wait"]:
        say(_begun(task))


def _begun(task: EnvironmentTask) -> str:
    job = f", job {task.job_id}" if task.job_id else ""
    return (
        f"{task.operation} {task.name}: {task.state}{job}. "
        f"Follow it: kqi env log {task.id} --follow"
    )


def _confirm(question: str, is_sure: bool) -> None:
    if not is_sure:
        click.confirm(question, abort=True, err=True)


CHANGES: Final = (
    set_up,
    create_environment,
    import_environment,
    reset_environment,
    delete_environment,
    verify_environment,
    repair_environment,
    bring_back,
    add_plugins,
)
