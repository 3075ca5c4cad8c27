"""What has run of a notebook, as a table."""

import click

from kqi_hub.cli.notebook_figures import span, spent
from kqi_hub.cli.notebook_options import complete, find
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import moment, show_json, show_table
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.notebooks import PastSession


@click.command("history")
@click.argument("which", metavar="NOTEBOOK", shell_complete=complete)
@click.option(
    "--most", type=click.IntRange(1, 1000), default=20, help="How many, 20 if unsaid."
)
@json_option
def show_history(which: str, most: int, as_json: bool) -> None:
    """List what has run of a notebook: when, how it ended, what it cost."""
    with Client.from_config() as portal:
        found = portal.notebook_sessions(find(portal, which).id, most)
    if as_json:
        show_json(found)
        return
    show_table(
        ("Started", "Ended", "Queue", "Job", "How it ended", "Ran", "Cost"),
        [
            (
                moment(int(one.asked_at)),
                "" if one.ended_at is None else moment(int(one.ended_at)),
                one.queue,
                one.job_id,
                ": ".join(filter(None, (one.cause or one.phase, one.end))),
                span(one.ran_s),
                spent(one.cost_micro, one.price, is_open=_is_open(one)),
            )
            for one in found
        ],
        "It has never run. Start it: kqi notebook start NOTEBOOK",
    )


def _is_open(one: PastSession) -> bool:
    return one.ended_at is not None and not one.is_billed
