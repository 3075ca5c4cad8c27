"""What can be chosen for a training or an inference on the command line."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from kqi_hub.cli.options import LIFETIME

F = TypeVar("F", bound=Callable[..., Any])
_MB: Final = 1024
_LARGEST_ID: Final = 2**63 - 1
_PARENT: Final = re.compile(r"(?:(training|inference)[/-])?([1-9][0-9]{0,17})")
NUMBER: Final = click.IntRange(1, _LARGEST_ID)
id_argument: Callable[..., Any] = click.argument("run_id", metavar="ID", type=NUMBER)
ids_argument: Callable[..., Any] = click.argument(
    "run_ids", metavar="ID...", type=NUMBER, nargs=-1, required=True
)
_OPTIONS: Final = (
    click.option("--queue", "-p", help="Slurm's name of the queue."),
    click.option("--command", "-e", help="What to run, as bash takes it."),
    click.option(
        "--command-file", type=click.File(encoding="utf-8"),
        help="A file with what to run, of one or more lines; - is stdin.",
    ),
    click.option("--cpus", "-c", type=click.IntRange(1), help="How many CPUs."),
    click.option("--memory-gb", type=click.IntRange(1), help="Memory in GB."),
    click.option("--gpus", "-g", type=click.IntRange(0), help="How many GPUs."),
    click.option("--gpu-type", help="Type of GPU; any if unsaid."),
    click.option(
        "--lifetime", type=LIFETIME,
        help="When it ends at the latest: 8h. A day, or the queue's limit if unsaid.",
    ),
    click.option(
        "--dataset", "-d", type=click.IntRange(0, _LARGEST_ID),
        help="Number of a dataset, which is locked; 0: none.",
    ),
    click.option(
        "--local-copy/--link", default=None,
        help="Copy the dataset to the node first, or read it in place (the usual).",
    ),
    click.option(
        "--parent", "parents", multiple=True,
        help="Run whose output is read: 12, training/12, inference/13; 0: none.",
    ),
    click.option("--environment", help="A conda environment of yours."),
    click.option(
        "--image", help="A container image in its place: host/name:tag; empty: none."
    ),
    click.option("--repository", help="Git repository with the code; empty: none."),
    click.option("--ref", help="Branch or tag of it."),
    click.option("--commit", help="Commit of it; the newest of the branch if unsaid."),
    click.option(
        "--env", "-o", "variables", multiple=True,
        help="NAME=value for the command; repeat for several.",
    ),
    click.option(
        "--port", "ports", type=click.IntRange(0, 65535), multiple=True,
        help="Port on which the command listens; repeat.",
    ),
    click.option(
        "--zip/--no-zip", default=None,
        help="Keep the output as one zip file too (the usual), or not.",
    ),
    click.option("--memo", "-m", help="A note of yours."),
    click.option("--tag", "-t", "tags", multiple=True, help="A tag; repeat."),
)  # fmt: skip


def choice_options(command: F) -> F:
    """Give a command the options of a run's choices."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen(said: dict[str, Any]) -> dict[str, object]:
    """Return what was said on the command line, as the portal takes it."""
    plain = ("queue", "cpus", "gpus", "gpu_type", "environment", "image", "memo", "zip")
    found: dict[str, object] = {n: said[n] for n in plain if said[n] is not None}
    if said["command"] is not None and said["command_file"] is not None:
        raise click.UsageError("--command and --command-file say the same thing.")
    if said["command"] is not None:
        found["command"] = said["command"]
    if said["command_file"] is not None:
        found["command"] = said["command_file"].read()
    if said["memory_gb"] is not None:
        found["memory_mb"] = said["memory_gb"] * _MB
    if said["lifetime"] is not None:
        found["lifetime_s"] = said["lifetime"]
    if said["dataset"] is not None:
        found["dataset"] = said["dataset"] or None
    if said["local_copy"] is not None:
        found["staging"] = "copy" if said["local_copy"] else "link"
    return found | _source(said) | _lists(said)


def _lists(said: dict[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {}
    if said["parents"]:
        is_none = said["parents"] == ("0",)
        found["parents"] = [] if is_none else [parent(one) for one in said["parents"]]
    if said["variables"]:
        found["variables"] = [variable(text) for text in said["variables"]]
    for name in ("ports", "tags"):
        if said[name]:
            found[name] = list(said[name])
    return found


def _source(said: dict[str, Any]) -> dict[str, object]:
    about = {name: said[name] for name in ("ref", "commit") if said[name]}
    if said["repository"]:
        return {"source": {"url": said["repository"], **about}}
    if about:
        raise click.UsageError(f"--{next(iter(about))} needs --repository.")
    return {} if said["repository"] is None else {"source": None}


def parent(text: str) -> dict[str, object]:
    """Read 12, training/12 or inference/13."""
    found = _PARENT.fullmatch(text)
    if found is None:
        raise click.UsageError(f"{text!r} is no run: 12, training/12 or inference/13.")
    return {"kind": found[1] or "training", "id": int(found[2])}


def variable(text: str) -> dict[str, str]:
    """Read NAME=value."""
    name, sign, value = text.partition("=")
    if not sign:
        raise click.UsageError(f"--env {text!r} is not NAME=value.")
    return {"name": name, "value": value}
