"""What an array of a preprocessing has used, all its tasks together."""

from collections.abc import Iterator, Mapping
from typing import Final

import click

from kqi_hub.cli.amounts import money
from kqi_hub.cli.notebook_figures import span
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import say, show_json
from kqi_hub.cli.preprocessing_history import HasNotRun, run_on
from kqi_hub.cli.preprocessing_options import id_argument
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.preprocessings import ArrayUse

_GB: Final = 1024


@click.command("use")
@id_argument
@click.option(
    "--data", "-d", "item", type=click.IntRange(1),
    help="The array that ran on this data item; left out: the newest.",
)  # fmt: skip
@json_option
def show_array_use(preprocessing_id: int, item: int | None, as_json: bool) -> None:
    """Show what one array of it has used and cost, and what to ask for next time."""
    with Client.from_config() as portal:
        if item is None:
            newest = portal.preprocessing_runs(1, preprocessing=preprocessing_id)
            run = next(newest, None)
            if run is None:
                raise HasNotRun(f"Preprocessing {preprocessing_id} has not been run.")
        else:
            run = run_on(portal, preprocessing_id, item)
        found = portal.array_use(run.id)
    if as_json:
        show_json(found)
        return
    for label, value in _lines(found):
        click.echo(f"{label + ':':<15}{value}")
    for one in found.advice:
        click.echo(one)
    if found.ended and not found.measured:
        say("None of them has measured its use.")


def _lines(found: ArrayUse) -> Iterator[tuple[str, str]]:
    yield "Array", str(found.job_id or "-")
    yield "Tasks", f"{found.tasks}, of which {found.ended} have ended"
    yield "States", ", ".join(f"{n} {state}" for state, n in found.states.items())
    if found.ran:
        longest, total = span(found.longest_s), span(found.total_s)
        yield "Ran", f"{span(found.median_s)} (median), {longest} (longest)"
        yield "Together", total
    if found.cpu is not None:
        yield "CPUs busy", f"{_shares(found.cpu)} of {found.cpus}"
    if found.memory_mb_max is not None:
        most, asked = found.memory_mb_max / _GB, found.memory_mb / _GB
        shares = f"{_shares(found.memory)}; " if found.memory else ""
        yield "Memory", f"{shares}largest {most:.1f} of {asked:.1f} GB"
    if found.gpus:
        yield "GPU hours", f"{found.gpu_hours:.2f}"
    if found.cost is not None or found.unbooked:
        cost = "-" if found.cost is None else money(found.cost, found.currency)
        without = f" (without {found.unbooked} tasks)" if found.unbooked else ""
        yield "Cost", cost + without


def _shares(found: Mapping[str, float]) -> str:
    least, middle, most = (100 * found[one] for one in ("least", "median", "most"))
    return f"{middle:.0f} % ({least:.0f} to {most:.0f})"
