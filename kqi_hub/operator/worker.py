"""kqi-hub worker: become the worker process."""

import os
import sys

import click

from kqi_hub.operator.invocation import Invocation, pass_invocation


@click.command()
@pass_invocation
def worker(invocation: Invocation) -> None:
    """Run the worker here, until SIGTERM or Ctrl-C.

    It is the one process that asks Slurm for the picture. A second one waits for the
    first to end. docs/operators/worker.md has the unit for systemd.
    """
    argv = ["-m", "kqi_hub.worker", "--config", str(invocation.source)]
    # The worker is a program of its own: this one steps aside for it.
    os.execv(sys.executable, [sys.executable, *argv])  # noqa: S606  our own interpreter
