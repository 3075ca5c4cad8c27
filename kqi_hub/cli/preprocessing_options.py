"""What can be said of a preprocessing and its runs on the command line."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from kqi_hub.cli.options import LIFETIME
from kqi_hub.cli.run_options import NUMBER, variable

F = TypeVar("F", bound=Callable[..., Any])
_MB: Final = 1024
_MOST: Final = 100_000
_NUMBERS: Final = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?", re.ASCII)
id_argument: Callable[..., Any] = click.argument(
    "preprocessing_id", metavar="ID", type=NUMBER
)
data_option: Callable[..., Any] = click.option(
    "--data", "-d", "data", multiple=True, required=True,
    help="Numbers of data items: 1,2,10-20; repeat.",
)  # fmt: skip
_SHAPE: Final = (
    click.option("--cpus", "-c", type=click.IntRange(1), help="How many CPUs."),
    click.option("--memory-gb", type=click.IntRange(1), help="Memory in GB."),
    click.option("--gpus", "-g", type=click.IntRange(0), help="How many GPUs."),
    click.option("--gpu-type", help="Type of GPU; any if unsaid."),
)
_RECIPE: Final = (
    click.option("--command", "-e", help="What to run on each, as bash takes it."),
    click.option(
        "--command-file", type=click.File(encoding="utf-8"),
        help="A file with what to run; - is stdin.",
    ),
    click.option("--environment", help="A conda environment of yours; empty: none."),
    click.option(
        "--image", help="A container image in its place: host/name:tag; empty: none."
    ),
    click.option("--repository", help="Git repository with the code; empty: none."),
    click.option("--ref", help="Branch or tag of it."),
    click.option("--memo", "-m", help="A note."),
)  # fmt: skip
_HOW: Final = (
    click.option("--queue", "-p", required=True, help="Slurm's name of the queue."),
    click.option("--lifetime", type=LIFETIME, help="When each ends at the latest."),
    click.option(
        "--env", "-o", "variables", multiple=True,
        help="NAME=value for the command; repeat for several.",
    ),
    click.option("--memo", "-m", help="A note."),
    click.option(
        "--skip-done", "skips_done", is_flag=True, default=None,
        help="Pass over data that it has been run on.",
    ),
)  # fmt: skip


def recipe_options(command: F) -> F:
    """Give a command the options of what a preprocessing does."""
    return _with(command, (*_RECIPE, *_SHAPE))


def running_options(command: F) -> F:
    """Give a command the options of how a preprocessing is run."""
    return _with(command, (*_HOW, *_SHAPE))


def recipe(said: dict[str, Any], shape: dict[str, Any] | None) -> dict[str, object]:
    """Return what was said of what it does; its size begins as `shape`."""
    if said["command"] is not None and said["command_file"] is not None:
        raise click.UsageError("--command and --command-file say the same thing.")
    found: dict[str, object] = {
        name: said[name]
        for name in ("command", "environment", "image", "memo")
        if said[name] is not None
    }
    if said["command_file"] is not None:
        found["command"] = said["command_file"].read()
    if said["repository"] is not None:
        found["source"] = {"url": said["repository"], "ref": said["ref"] or ""}
    elif said["ref"] is not None:
        raise click.UsageError("--ref needs --repository.")
    return found | _shape(said, shape)


def how(said: dict[str, Any], shape: dict[str, Any]) -> dict[str, object]:
    """Return what was said of how it is run; its size begins as `shape`."""
    found: dict[str, object] = {
        name: said[name] for name in ("memo", "skips_done") if said[name] is not None
    }
    if said["lifetime"] is not None:
        found["lifetime_s"] = said["lifetime"]
    if said["variables"]:
        found["variables"] = [variable(text) for text in said["variables"]]
    return found | _shape(said, shape)


def numbers(texts: tuple[str, ...]) -> list[int]:
    """Read numbers such as 1,2,10-20."""
    found: list[int] = []
    for text in texts:
        for word in text.split(","):
            match = _NUMBERS.fullmatch(word.strip())
            if match is None:
                raise click.UsageError(f"--data {text!r}: {word!r} is no number.")
            first, last = int(match[1]), int(match[2] or match[1])
            if not 0 <= last - first < _MOST:
                raise click.UsageError(f"--data {text!r}: {word!r} is no range.")
            found += range(first, last + 1)
    return list(dict.fromkeys(found))


def _shape(said: dict[str, Any], known: dict[str, Any] | None) -> dict[str, object]:
    changed = {
        name: said[name]
        for name in ("cpus", "gpus", "gpu_type")
        if said[name] is not None
    }
    if said["memory_gb"] is not None:
        changed["memory_mb"] = said["memory_gb"] * _MB
    return {"shape": {**(known or {}), **changed}} if changed else {}


def _with(command: F, options: tuple[Callable[[F], F], ...]) -> F:
    for option in reversed(options):
        command = option(command)
    return command
