"""The `./demo` command."""

import json
import os
import shutil
import sys
from typing import Any

import click

from kqi_hub.devstack import enter, foreground, launch, telling
from kqi_hub.devstack.control import NobodyAnswers, ask
from kqi_hub.devstack.launch import LaunchFailed
from kqi_hub.devstack.layout import Folder, demo_folder
from kqi_hub.devstack.server import ACTIONS
from kqi_hub.devstack.status import read_status

_NOT_ROOT = 77
_PLAIN_ARGUMENTS = {"ignore_unknown_options": True, "allow_interspersed_args": False}


class _Demo(click.Group):
    """A group that turns our failures into a message and exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (LaunchFailed, enter.NoSuchPerson, NobodyAnswers) as error:
            raise click.ClickException(str(error)) from error


@click.group(
    cls=_Demo,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.pass_context
def main(context: click.Context) -> None:
    """Run a small real Slurm cluster with KQI Hub on it, in a folder of its own.

    Without a command it runs here until Ctrl-C. The folder is .demo in the checkout,
    or $KQI_DEMO_DIR.
    """
    if os.geteuid() != 0:
        telling.say("The demo cluster needs root. Nothing was started.")
        sys.exit(_NOT_ROOT)
    os.umask(0o022)
    if context.invoked_subcommand is None:
        _run_here()


def _own_folder() -> Folder:
    folder = demo_folder()
    if not folder.is_ours():
        raise LaunchFailed(
            f"{folder.path} holds other things. Name an empty folder in KQI_DEMO_DIR."
        )
    return folder


def _run_here() -> None:
    folder = _own_folder()
    folder.create()

    def act() -> None:
        with launch.one_at_a_time(folder, telling.waiting):
            if launch.is_running(folder):
                raise LaunchFailed("It runs already: ./demo status, ./demo stop")
            supervising = foreground.bring_up(folder, stay=False)
        click.echo(telling.overview(_status(folder)))
        telling.say("\nIt stops with Ctrl-C.")
        foreground.stay_until_told(supervising)
        telling.say("Stopping.")
        launch.stop(folder, telling.step)

    foreground.interrupted_by(act)


@main.command()
def up() -> None:
    """Start it, and return when everything answers."""
    folder = _own_folder()
    folder.create()

    def act() -> None:
        with launch.one_at_a_time(folder, telling.waiting):
            if _is_up(folder):
                telling.say("It runs already.")
            else:
                foreground.bring_up(folder, stay=True)

    foreground.interrupted_by(act)
    click.echo(telling.overview(_status(folder)))


def _is_up(folder: Folder) -> bool:
    """Return whether it is up; one that is going down is waited for."""
    if not launch.is_running(folder):
        return False
    answer = launch.status(folder)
    if answer is not None and answer["state"] == "ready":
        return True
    launch.wait_until_gone(folder)
    return False


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print it for a program.")
def status(*, as_json: bool) -> None:
    """Show what runs, and people's passwords and codes of this moment."""
    known = _status(_own_folder())
    click.echo(json.dumps(known, indent=2) if as_json else telling.overview(known))


def _status(folder: Folder) -> dict[str, Any]:
    return read_status(folder, launch.status(folder), launch.living_pid(folder))


@main.command()
def stop() -> None:
    """Stop it; its data stay."""
    folder = _own_folder()
    if launch.is_running(folder):
        launch.stop(folder, telling.step)
        telling.say("Stopped.")
    else:
        telling.say("Nothing runs.")


@main.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(*, yes: bool) -> None:
    """Stop it and delete its folder: people, jobs, accounting, everything."""
    folder = _own_folder()
    if not folder.path.exists():
        telling.say("There is nothing to delete.")
        return
    if not yes:
        click.confirm(f"Delete {folder.path} and all in it?", abort=True, err=True)
    with launch.one_at_a_time(folder, telling.waiting):
        if launch.is_running(folder):
            launch.stop(folder, telling.step)
        shutil.rmtree(folder.path)
    telling.say(f"Deleted {folder.path}.")


@main.command(context_settings=_PLAIN_ARGUMENTS)
@click.option("-u", "--user", default="root", help="Who runs it, defaults to root.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(user: str, command: tuple[str, ...]) -> None:
    """Run a command inside, such as `./demo run -u alice sbatch job.sh`."""
    supervisor = launch.require_entrance(_own_folder())
    sys.exit(enter.run(supervisor, user, command))


@main.command()
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Go on as it grows.")
def logs(name: str, *, follow: bool) -> None:
    """Show the log of a service or of a step of the start."""
    folder = _own_folder()
    log = folder.logs / f"{name}.log"
    known = sorted(one.stem for one in folder.logs.glob("*.log"))
    if name not in known:
        raise click.ClickException(f"no log of {name!r}; there are: {', '.join(known)}")
    arguments = ["-F", "-n", "100"] if follow else ["-n", "+1"]
    _replace_by("tail", *arguments, "--", str(log))


def _replace_by(*argv: str) -> None:
    sys.stdout.flush()
    os.execvp(argv[0], argv)  # noqa: S606 - that is what we want: no shell


@main.command()
@click.argument("name")
@click.argument("action", type=click.Choice(ACTIONS))
def service(name: str, action: str) -> None:
    """Do something to one service, to see what happens then.

    stop: end it and leave it down. kill: as kill -9 does; it is started again.
    pause: freeze it, so that it answers nobody.
    """
    control = _own_folder().control
    answer = next(ask(control, verb="service", service=name, action=action))
    if "error" in answer:
        raise click.ClickException(answer["error"])
    click.echo(f"{name}: {answer['state']}")
