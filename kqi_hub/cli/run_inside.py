"""Into a run that runs: a shell, its ports, its TensorBoard."""

import shutil
import subprocess
import webbrowser
from typing import Final

import click

from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, say, show_json, show_table
from kqi_hub.cli.run_options import id_argument, parent
from kqi_hub.cli.run_watching import own
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError, WrongState
from kqi_hub.sdk.run_models import Run

Kind = type[Run]


@click.command("shell")
@id_argument
@click.pass_obj
def open_shell(kind: Kind, run_id: int) -> None:
    """Open a shell inside its job, on a machine that has Slurm's srun.

    Elsewhere there is the terminal of its page.
    """
    with Client.from_config() as portal:
        run = own(portal, kind, run_id)
    if run.state != "running":
        raise WrongState(f"{kind.kind} {run_id} does not run: it is {run.state}.")
    srun = shutil.which("srun")
    if srun is None:
        raise PortalError(
            "There is no srun on this machine.",
            f"Run it on a login node, or open the terminal of its page: {run.page}",
        )
    words = [srun, "--overlap", f"--jobid={run.job_id}", "--pty", "bash"]
    # The person's own terminal: nothing is read or written in between.
    done = subprocess.run(words, check=False)
    raise click.exceptions.Exit(done.returncode)


@click.command("ports")
@id_argument
@json_option
@click.pass_obj
def list_ports(kind: Kind, run_id: int, as_json: bool) -> None:
    """Say where a browser finds its ports; they need your login."""
    with Client.from_config() as portal:
        run = own(portal, kind, run_id)
        ports = (run.choices or {}).get("ports", ())
        found = {port: portal.run_port(run, port) for port in ports}
    if as_json:
        show_json(found)
        return
    show_table(("Port", "Address"), found.items(), "It has announced no port.")


@click.command("tensorboard")
@id_argument
@click.option(
    "--hours", type=click.IntRange(1, 24), default=3, help="How long, defaults to 3."
)
@click.option(
    "--with", "beside", multiple=True,
    help="Show another run beside it: 11, training/11; repeat.",
)  # fmt: skip
@click.option("--browser", is_flag=True, help="Open it in this machine's browser.")
@json_option
@click.pass_obj
def open_board(
    kind: Kind,
    run_id: int,
    hours: int,
    beside: tuple[str, ...],
    browser: bool,
    as_json: bool,
) -> None:
    """Start its TensorBoard, or find the one that runs, and print where it is."""
    others = [parent(one) for one in beside]
    words = [f"{one['kind']}/{one['id']}" for one in others]
    with Client.from_config() as portal:
        run = own(portal, kind, run_id)
        begun = portal.start_run_board(run, hours, words)
        if begun.state != "running":
            say(f"TensorBoard of {kind.kind} {run_id}: {begun.state} …")
        found = portal.wait_run_board(run)
    if as_json:
        show_json(found)
    else:
        click.echo(found.url)
    if browser and not webbrowser.open(found.url):
        raise PortalError("There is no browser here.", "Copy the address to one.")


@click.command("tensorboard-halt")
@id_argument
@json_option
@click.pass_obj
def stop_board(kind: Kind, run_id: int, as_json: bool) -> None:
    """Stop its TensorBoard."""
    with Client.from_config() as portal:
        portal.stop_run_board(own(portal, kind, run_id))
    finish(f"The TensorBoard of {kind.kind} {run_id} is stopped.", as_json, id=run_id)
    say(f"TensorBoard of {kind.kind} {run_id} is stopped.")


INSIDE: Final = (open_shell, list_ports)
# Of trainings alone: what an inference writes is shown beside theirs.
BOARDS: Final = (open_board, stop_board)
