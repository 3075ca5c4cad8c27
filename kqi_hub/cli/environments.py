"""Conda environments: make, mend, take with you; `kqi env` works like the page."""

import sys
from pathlib import Path
from typing import Any, Final

import click

from kqi_hub.cli.amounts import counted
from kqi_hub.cli.environment_changes import CHANGES
from kqi_hub.cli.environment_options import complete, task_named
from kqi_hub.cli.environment_wait import print_log
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, moment, say, show_json, show_table
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.environments import Environment

_FORMATS: Final = ("yml", "explicit", "pip", "lock")
_MIB: Final = 1024 * 1024
_GIB: Final = 1024 * _MIB
_name = click.argument("name", shell_complete=complete)


@click.group("env")
def environment() -> None:
    """Your conda environments, and the work on them.

    Exit codes: 0 done, 1 failed, 5 in the way of other work or refused before anything
    was touched.
    """


for _change in CHANGES:
    environment.add_command(_change)


@environment.command("list")
@json_option
def list_environments(as_json: bool) -> None:
    """List your environments; those that need help first, with why."""
    with Client.from_config() as portal:
        found = portal.environments()
    if as_json:
        show_json(found)
        return
    ordered = sorted(found.environments, key=lambda one: one.state != "broken")
    columns = ("Name", "", "State", "Packages", "Own size", "Kernels", "Last used")
    hint = "You have no environment. Make yours: kqi env setup"
    show_table(columns, [_row(one) for one in ordered], hint)
    for one in ordered:
        if one.why:
            say(f"{one.name}: {one.why['text']} Mend it: kqi env repair {one.name}")
    for task in found.tasks:
        say(f"{task.operation} {task.name}: {task.state} (task {task.id})")
    say(_room(found.room))


@environment.command("bases")
@json_option
def list_bases(as_json: bool) -> None:
    """List what the site offers to begin from."""
    with Client.from_config() as portal:
        found = portal.environment_bases()
    if as_json:
        show_json(found)
        return
    show_table(
        ("Base", "Python", "Packages", "Installed", "About"),
        [
            (
                *(one["name"], one.get("python"), one.get("packages")),
                _size(one.get("installed_bytes")),
                one.get("about") or one.get("title"),
            )
            for one in found
        ],
        "This site offers no base yet; bring a file of your own.",
    )


@environment.command("default")
@_name
@json_option
def make_default(name: str, as_json: bool) -> None:
    """Let new notebooks begin with an environment."""
    with Client.from_config() as portal:
        portal.set_default_environment(name)
    finish(f"{name} is now the default for your notebooks.", as_json, name=name)


@environment.command("export")
@_name
@click.option(
    "--format", "form", type=click.Choice(_FORMATS), default="yml",
    help="yml (the default), explicit, pip or lock.",
)  # fmt: skip
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; standard output if unsaid. Not overwritten.",
)  # fmt: skip
def export_environment(name: str, form: str, output: Path | None) -> None:
    """Write an environment down, to make the same elsewhere or here again."""
    with Client.from_config() as portal:
        text = portal.export_environment(name, form)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.UsageError(f"{output} is there already.") from None
    say(f"{name} is written to {output}.")


@environment.command("tasks")
@json_option
def list_tasks(as_json: bool) -> None:
    """List the newest work on your environments."""
    with Client.from_config() as portal:
        found = portal.environment_tasks()
    if as_json:
        show_json(found)
        return
    show_table(
        ("Task", "Operation", "Environment", "State", "Job", "Asked", "What"),
        [
            (
                *(one.id, one.operation, one.name, one.state, one.job_id),
                moment(int(one.asked_at) if one.asked_at else None, "-"),
                (one.error or {}).get("message") or one.text.split("\n")[0],
            )
            for one in found
        ],
        "There has been no work on your environments.",
    )


@environment.command("log")
@click.argument("which", metavar="TASK|NAME")
@click.option("--follow", "-f", "goes_on", is_flag=True, help="Go on until it ends.")
def show_log(which: str, goes_on: bool) -> None:
    """Print what a task says; of an environment, its newest task."""
    with Client.from_config() as portal:
        print_log(portal, task_named(portal, which), goes_on)


@environment.command("cancel")
@click.argument("which", metavar="TASK|NAME")
@json_option
def cancel_task(which: str, as_json: bool) -> None:
    """Cancel a task; what was there before it stays as it was."""
    with Client.from_config() as portal:
        found = portal.cancel_environment_task(task_named(portal, which).id)
    if as_json:
        show_json(found)
    else:
        say(f"{found.operation} {found.name}: {found.state}.")


@environment.command("examples")
@click.argument("names", nargs=-1)
@json_option
def examples(names: tuple[str, ...], as_json: bool) -> None:
    """List example notebooks; with NAMES copy them into your workspace."""
    with Client.from_config() as portal:
        known = () if names else portal.examples()
        found = portal.copy_examples(names) if names else known
    if as_json:
        show_json(found)
    elif names:
        click.echo("\n".join(map(str, found)))
    else:
        rows = [(one["name"], one.get("title", "")) for one in known]
        show_table(("Example", "Title"), rows, "This site ships no examples.")


def _row(one: Environment) -> tuple[object, ...]:
    return (
        one.name,
        "default" if one.is_default else "",
        f"{one.state}, newer packages" if one.outdated else one.state,
        one.packages or "",
        _size(one.size["own_bytes"]) if one.size else "",
        ", ".join(kernel["title"] for kernel in one.kernels),
        (one.used_at or "")[:16].replace("T", " "),
    )


def _size(count: object) -> str:
    if not isinstance(count, int):
        return ""
    if count < _GIB:
        return f"{count / _MIB:,.0f} MiB"
    return f"{count / _GIB:,.1f} GiB"


def _room(room: Any) -> str:
    files = room.get("free_files")
    more = "" if files is None else f" and {counted(files, 'file')}"
    return f"Free on scratch: {_size(room.get('free_bytes'))}{more}"
