"""What trainings and inferences use of what they asked for."""

import time
from collections.abc import Sequence
from typing import Final

import click

from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import plain, say, show_json, show_table
from kqi_hub.cli.run_options import id_argument
from kqi_hub.cli.run_watching import own
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.run_models import Run, UseSample

Kind = type[Run]
_ROWS: Final = 20


@click.command("use")
@id_argument
@click.option("--all", "whole", is_flag=True, help=f"Every line, not about {_ROWS}.")
@json_option
@click.pass_obj
def show_use(kind: Kind, run_id: int, whole: bool, as_json: bool) -> None:
    """Show its use of CPU, memory and GPU over time, and in all once it has ended.

    Its own job measures it; while it runs, too. The --json answer has every line.
    """
    with Client.from_config() as portal:
        run = own(portal, kind, run_id)
        samples = portal.run_use(run)
    if as_json:
        show_json({"use": run.use, "samples": plain(samples)})
        return
    rows = [_row(one) for one in (samples if whole else thinned(samples))]
    columns = ("When", "CPUs busy", "Memory MB", "GPU %", "GPU memory MB")
    show_table(columns, rows, f"{kind.kind} {run_id} has noted nothing (yet).")
    if run.use is not None:
        click.echo(f"In all: {run.use['text']}.")
        say(f"Measured in its job: {run.use['source']}.")


def thinned(samples: Sequence[UseSample], most: int = _ROWS) -> Sequence[UseSample]:
    """Return about so many of them, the last one too."""
    step = max(1, -(-len(samples) // most))
    # From the end on: it is what people want to know of a run that goes on.
    return samples[::-1][::step][::-1]


def _row(one: UseSample) -> tuple[str, ...]:
    told = (one.gpu_percent, one.gpu_memory_mb)
    gpu = ("" if value is None else f"{value:.0f}" for value in told)
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.epoch))
    return (at, f"{one.cpu_cores_used:.2f}", f"{one.memory_mb:,.0f}", *gpu)


USE: Final = (show_use,)
