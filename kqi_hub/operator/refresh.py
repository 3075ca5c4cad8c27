"""kqi-hub refresh: ask the worker for a fresh look."""

import time

import click

from kqi_hub.bootstrap.cluster import worker_lock
from kqi_hub.bootstrap.database import open_snapshot_store
from kqi_hub.domain.errors import KqiError
from kqi_hub.operator.invocation import Invocation, pass_invocation
from kqi_hub.services.refresh import ask_for_look


@click.command()
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(1, 3600),
    default=30.0,
    show_default=True,
    help="Seconds to wait for it.",
)
@pass_invocation
def refresh(invocation: Invocation, wait_s: float) -> None:
    """Ask the worker for a fresh look at Slurm, and wait for it.

    Any number of requests cost one look, and looks are never closer than five
    seconds. While Slurm does not answer, nothing is asked of it.
    """
    if worker_lock(invocation.settings).holder() is None:
        raise KqiError("No worker runs.", "Start it: systemctl start kqi-worker")
    store = open_snapshot_store(invocation.settings)
    began = time.time()
    fresh = ask_for_look(store, time.time, time.sleep, wait_s)
    waited_s = time.time() - began
    click.echo(f"Picture {fresh.sequence} is there after {waited_s:.1f} s.")
