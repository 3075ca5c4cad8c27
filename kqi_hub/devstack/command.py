"""The `./demo` command."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import click

from kqi_hub.devstack import enter, launch
from kqi_hub.devstack.control import NobodyAnswers, ask
from kqi_hub.devstack.launch import LaunchFailed, Supervising
from kqi_hub.devstack.layout import Folder, demo_folder
from kqi_hub.devstack.status import read_status

_NOT_ROOT = 77
_TAIL_LINES = 25


class Refused(click.ClickException):
    """A message for the person at the terminal."""


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.pass_context
def main(context: click.Context) -> None:
    """Run a small real Slurm cluster with KQI Hub on it, in a folder of its own.

    Without a command: start it here, and stop it with Ctrl-C.
    """
    if os.geteuid() != 0:
        click.echo(
            "The demo cluster needs root: it mounts things and runs daemons as several"
            " users.\nNothing was started. Run it again as root (sudo ./demo …).",
            err=True,
        )
        sys.exit(_NOT_ROOT)
    if context.invoked_subcommand is None:
        _foreground()


def _say(text: str = "") -> None:
    click.echo(text, err=True)


def _step(name: str, seconds: float) -> None:
    _say(f"  {name:<22} ok  {seconds:5.1f} s")


@main.command()
def up() -> None:
    """Start the cluster, and return when everything answers."""
    folder = demo_folder()
    folder.create()
    try:
        with launch.one_at_a_time(
            folder, lambda: _say("Another start is at work; waiting for it.")
        ):
            if launch.is_running(folder):
                _say(f"Already running in {folder.path}.")
            else:
                _follow(folder, launch.start(folder, stay=True))
    except LaunchFailed as error:
        raise Refused(str(error)) from error
    _show(folder)


def _follow(folder: Folder, supervising: Supervising) -> None:
    """Print each step of a start; leave with what is wrong when it fails."""
    began = time.monotonic()
    _say(f"Starting the demo cluster in {folder.path}")
    for event in supervising.events():
        match event["event"]:
            case "step":
                _step(str(event["name"]), float(str(event["seconds"])))
            case "ready":
                _say(f"Ready after {time.monotonic() - began:.1f} s.")
                return
            case "failed":
                launch.wait_until_gone(folder)
                raise Refused(_failure(folder, event))
    launch.wait_until_gone(folder)
    raise Refused(_tail(folder.logs / "supervisor.log"))


def _failure(folder: Folder, event: Any) -> str:
    log = folder.logs / (event["log"] or "supervisor.log")
    return (
        f"{event['name']} failed: {event['reason']}\n{_tail(log)}\n"
        f"Everything was stopped again. The whole log: {log}\n"
        "Try again with ./demo up, or from nothing with ./demo reset."
    )


def _tail(log: Path) -> str:
    if not log.exists():
        return f"({log} is empty)"
    lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
    return "\n".join(f"  | {line}" for line in lines)


def _foreground() -> None:
    folder = demo_folder()
    folder.create()
    with launch.one_at_a_time(
        folder, lambda: _say("Another start is at work; waiting for it.")
    ):
        if launch.is_running(folder):
            raise Refused(
                f"Already running in {folder.path}: ./demo status, ./demo stop"
            )
        supervising = launch.start(folder, stay=False)
        _follow(folder, supervising)
    _show(folder)
    _say("Ctrl-C stops it.")
    signal.sigwait({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    launch.stop(folder, _step)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the documented JSON.")
def status(as_json: bool) -> None:
    """Show what runs, and people's passwords and codes."""
    folder = demo_folder()
    if as_json:
        click.echo(json.dumps(_status(folder), indent=2))
    else:
        _show(folder)


def _status(folder: Folder) -> dict[str, Any]:
    supervisor = launch.supervisor_pid(folder) if launch.is_running(folder) else None
    return read_status(folder, supervisor)


def _show(folder: Folder) -> None:
    known = _status(folder)
    click.echo(f"{known['state']}, in {known['folder']}")
    for one in known["services"]:
        click.echo(
            f"  {one['name']:<16} {one['state']:<10} pid {one['pid']}  port {one['port'] or '-'}"
        )
    for one in known["people"]:
        code = f"{one['code']} ({one['code_valid_s']} s)" if one["code"] else "none yet"
        click.echo(
            f"  {one['name']:<8} {one['password']:<18} code {code:<14} {one['about']}"
        )


@main.command()
def stop() -> None:
    """Stop the cluster; its data stay."""
    folder = demo_folder()
    if not launch.is_running(folder):
        _say("Nothing runs.")
        return
    try:
        launch.stop(folder, _step)
    except LaunchFailed as error:
        raise Refused(str(error)) from error


@main.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.option("-u", "--user", default="root", help="Who runs it, defaults to root.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(user: str, command: tuple[str, ...]) -> None:
    """Run a command inside the cluster."""
    try:
        sys.exit(enter.run(launch.supervisor_pid(demo_folder()), user, command))
    except (LaunchFailed, enter.NoSuchPerson) as error:
        raise Refused(str(error)) from error


@main.command()
@click.argument("name")
@click.argument(
    "action", type=click.Choice(["stop", "start", "restart", "kill", "pause", "resume"])
)
def service(name: str, action: str) -> None:
    """Do something to one service, as a test of what happens then."""
    try:
        answer = next(
            iter(
                ask(demo_folder().control, verb="service", service=name, action=action)
            )
        )
    except NobodyAnswers as error:
        raise Refused(str(error)) from error
    if "error" in answer:
        raise Refused(str(answer["error"]))
    click.echo(f"{name}: {answer['state']}")
