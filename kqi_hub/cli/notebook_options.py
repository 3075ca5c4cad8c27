"""What can be chosen for a notebook on the command line."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from kqi_hub.cli.options import LIFETIME
from kqi_hub.sdk import config as configuration
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import NotConfigured, PortalError
from kqi_hub.sdk.notebooks import Notebook

F = TypeVar("F", bound=Callable[..., Any])
_MB: Final = 1024
_OPTIONS: Final = (
    click.option("--preset", help="A ready-made choice of the site."),
    click.option("--queue", help="Slurm's name of the queue."),
    click.option("--cpus", type=click.IntRange(1), help="How many CPUs."),
    click.option("--memory-gb", type=click.IntRange(1), help="Memory in GB."),
    click.option("--gpus", type=click.IntRange(0), help="How many GPUs."),
    click.option("--gpu-type", help="Type of GPU; any if unsaid."),
    click.option("--lifetime", type=LIFETIME, help="When it ends, such as 8h."),
    click.option("--no-lifetime", is_flag=True, help="As long as the queue allows."),
    click.option("--ui", type=click.Choice(["lab", "tree"]), help="What opens first."),
    click.option("--environment", help="A conda environment of yours."),
    click.option("--repository", help="Git repository to clone into the workspace."),
    click.option("--ref", help="Branch, tag or commit of it."),
    click.option(
        "--push/--no-push",
        "may_push",
        default=None,
        help="Let git push in it use the token that you stored for that Git server.",
    ),
    click.option(
        "--env", "variables", multiple=True, help="NAME=value; repeat for several."
    ),
    click.option("--command", help="What to run before it starts."),
    click.option("--memo", help="A note of yours."),
    click.option(
        "--dataset", type=click.IntRange(0), help="Number of a dataset; 0: none."
    ),
    click.option(
        "--local-copy/--link",
        "local_copy",
        default=None,
        help="Copy the dataset to the node first, or read it in place (the usual).",
    ),
    click.option(
        "--parent",
        "parents",
        type=click.IntRange(0),
        multiple=True,
        help="A run whose results are linked; repeat for several; 0: none.",
    ),
)


def choice_options(command: F) -> F:
    """Give a command the options of a notebook's choices."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen(said: dict[str, Any]) -> dict[str, object]:
    """Return what was said on the command line, as the portal takes it."""
    plain = ("preset", "queue", "cpus", "gpus", "gpu_type", "ui", "environment",
             "command", "memo", "may_push")  # fmt: skip
    found: dict[str, object] = {n: said[n] for n in plain if said[n] is not None}
    found |= _dataset(said)
    if said["memory_gb"] is not None:
        found["memory_mb"] = said["memory_gb"] * _MB
    if said["lifetime"] is not None or said["no_lifetime"]:
        found["lifetime_s"] = None if said["no_lifetime"] else said["lifetime"]
    if said["queue"] is not None and said["preset"] is None:
        found["preset"] = ""
    if said["repository"] is not None:
        found["repository"] = (
            {"url": said["repository"], "ref": said["ref"] or ""}
            if said["repository"]
            else None
        )
    elif said["ref"] is not None:
        raise click.UsageError("--ref needs --repository.")
    if said["variables"]:
        found["variables"] = [_variable(text) for text in said["variables"]]
    return found


def _dataset(said: dict[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {}
    if said["dataset"] is not None:
        found["dataset"] = said["dataset"] or None
    if said["local_copy"] is not None:
        found["staging"] = "copy" if said["local_copy"] else "link"
    if said["parents"]:
        found["parents"] = [one for one in said["parents"] if one]
    return found


def tenant_of(portal: Client, asked: str | None) -> str:
    """Return the tenant: the one asked for, the one in use, the person's usual one."""
    known = asked or configuration.load().tenant
    if known:
        return known
    person = portal.whoami()
    names = [one.name for one in person.tenants]
    if person.default_tenant or len(names) == 1:
        return person.default_tenant or names[0]
    raise NotConfigured(
        "Which tenant?", f"Run: kqi tenant use NAME (yours: {', '.join(names) or '-'})"
    )


def find(portal: Client, which: str) -> Notebook:
    """Return one's own notebook by its name or number."""
    named = portal.notebook_named(which)
    if named is not None:
        return named
    if which.isascii() and which.isdigit():
        return portal.notebook(int(which))
    error = PortalError(f"You have no notebook {which!r}.", "Run: kqi notebook list")
    error.exit_code = 4
    raise error


def complete(context: click.Context, param: click.Parameter, begun: str) -> list[str]:
    """Return the names of one's own notebooks, for the shell; nothing on any error."""
    try:
        with Client.from_config() as portal:
            names = [one.name for one in portal.notebooks()]
    except PortalError:
        return []  # there is no good place for a message while somebody types
    return [name for name in names if name.startswith(begun)]


def _variable(text: str) -> dict[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise click.UsageError(f"--env {text!r} is not NAME=value.")
    return {"name": name, "value": value}
