"""What a run or notebook would cost and meet, as the command tells of it."""

import click

from kqi_hub.cli.amounts import money
from kqi_hub.cli.output import show_json
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.notebooks import NotebookCheck
from kqi_hub.sdk.run_models import RunEstimate


class Impossible(PortalError):
    """What was asked for could never start."""

    exit_code = 12


def show_estimate(found: RunEstimate | NotebookCheck, as_json: bool) -> None:
    """Show it; Impossible where it could never start."""
    if as_json:
        show_json(found)
    else:
        click.echo("It can start." if found.is_possible else "It can never start.")
        for text in (*found.objections, *found.cautions):
            click.echo(f"- {text}")
        wait = "" if found.wait_s is None else f" ({found.wait_s // 60} min)"
        click.echo(f"wait: {found.wait}{wait}")
        if found.price is not None:
            micro, currency = found.price["micro_per_hour"], found.price["currency"]
            click.echo(f"price: {money(micro, currency)} an hour")
            sums = {"in all": found.cost_micro, "left this month": found.left_micro}
            for name, amount in sums.items():
                if amount is not None:
                    click.echo(f"{name}: {money(amount, currency)}")
    if not found.is_possible:
        raise Impossible("It could never start.", "Change what is said above.")
