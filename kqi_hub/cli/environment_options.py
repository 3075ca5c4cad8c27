"""What can be said of work on an environment on the command line."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from kqi_hub.cli.notebook_options import tenant_of
from kqi_hub.cli.options import json_option
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.environments import Environment, EnvironmentTask
from kqi_hub.sdk.errors import NotConfigured, PortalError

F = TypeVar("F", bound=Callable[..., Any])
_text = click.File(encoding="utf-8")
_SOURCE_OPTIONS: Final = (
    click.option("--base", help="A base of the site; see kqi env bases."),
    click.option("--file", "yml", type=_text, help="An environment.yml; - is stdin."),
    click.option("--lock", type=_text, help="A lock file of rattler or pixi."),
    click.option("--explicit", type=_text, help="A list of packages (@EXPLICIT)."),
    click.option("--import", "imported", type=_text, help="An export of kqi's."),
)
_ORDER_OPTIONS: Final = (
    click.option("--queue", help="Where it runs; the site's, or a free one if unsaid."),
    click.option("--tenant", help="The tenant to charge; the one in use if unsaid."),
    click.option(
        "--wait/--no-wait", default=True, help="Follow it to its end; the default."
    ),
    json_option,
)


def source_options(command: F) -> F:
    """Give a command the options of what an environment is made from."""
    for option in reversed(_SOURCE_OPTIONS):
        command = option(command)
    return command


def order_options(command: F) -> F:
    """Give a command the options of where it runs and what it answers."""
    for option in reversed(_ORDER_OPTIONS):
        command = option(command)
    return command


def source_of(portal: Client, said: dict[str, Any]) -> dict[str, object]:
    """Return what an environment is made from; the site's usual base if unsaid."""
    names = {"yml": "yml", "lock": "lock", "explicit": "explicit", "imported": "import"}
    found: dict[str, object] = {
        name: said[key].read() for key, name in names.items() if said[key] is not None
    }
    if said["base"] is not None:
        found["base"] = said["base"]
    if len(found) > 1:
        raise click.UsageError("An environment is made from one thing only.")
    return found or {"base": _usual_base(portal)}


def where_of(
    portal: Client, queue: str | None, tenant: str | None
) -> dict[str, object]:
    """Return queue and tenant; a queue that is free of charge if nobody says one."""
    rules = portal.environments()
    if rules.run_on != "job":
        return {}
    try:
        payer = tenant_of(portal, tenant)
    except NotConfigured:
        payer = ""  # Slurm knows a default account, and says so if it does not
    return {
        "queue": queue or rules.queue or _free_queue(portal, payer),
        "tenant": payer,
    }


def environment_named(portal: Client, name: str) -> Environment:
    """Return one's own environment."""
    for one in portal.environments().environments:
        if one.name == name:
            return one
    raise _missing(f"You have no environment {name!r}.", "Run: kqi env list")


def task_named(portal: Client, which: str) -> EnvironmentTask:
    """Return a task by its id, or the newest one of an environment."""
    for one in portal.environment_tasks():
        if which in {one.id, one.name}:
            return one
    raise _missing(f"There is no task {which!r}.", "Run: kqi env tasks")


def complete(context: click.Context, param: click.Parameter, begun: str) -> list[str]:
    """Return the names of one's own environments, for the shell; none on any error."""
    try:
        with Client.from_config() as portal:
            names = [one.name for one in portal.environments().environments]
    except PortalError:
        return []  # there is no good place for a message while somebody types
    return [name for name in names if name.startswith(begun)]


def _usual_base(portal: Client) -> str:
    for one in portal.environment_bases():
        if one.get("is_default"):
            return str(one["name"])
    raise _missing(
        "This site offers no base.", "Bring a file of your own: --file, --lock …"
    )


def _free_queue(portal: Client, tenant: str) -> str:
    usable = [one for one in portal.queues(tenant).queues if one.may_use]
    free = [one.name for one in usable if one.is_free]
    usual = [one.name for one in usable if one.is_default]
    return next(iter([*free, *usual]), "")


def _missing(message: str, hint: str) -> PortalError:
    error = PortalError(message, hint)
    error.exit_code = 4
    return error
