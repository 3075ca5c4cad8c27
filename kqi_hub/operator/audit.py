"""kqi-hub audit: read the record of everything that concerns security."""

from typing import Any

import click

from kqi_hub.bootstrap.login import open_audit_log
from kqi_hub.domain.login import AuditEvent
from kqi_hub.operator.columns import columns
from kqi_hub.operator.invocation import Invocation, pass_invocation, print_json
from kqi_hub.operator.moments import Since, moment

_HEAD = ("NUMBER", "WHEN", "WHO", "WHAT", "TO WHOM", "OUTCOME", "FROM", "DETAIL")


@click.command()
@click.option("--actor", metavar="NAME", help="What this person did.")
@click.option("--action", metavar="NAME", help="Events of this kind, such as login.")
@click.option("--since", type=Since(), help="From then on: a date, or 30m, 12h, 7d.")
@click.option("--before", type=int, metavar="NUMBER", help="Go on below this number.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="Show at most so many.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_invocation
def audit(invocation: Invocation, /, limit: int, as_json: bool, **window: Any) -> None:
    """Show who did what, when and from where; newest first.

    The log can only be added to: the database refuses to change or delete events.
    """
    log = open_audit_log(invocation.settings)
    found = log.read(limit=limit + 1, **window)
    shown, more = found[:limit], len(found) > limit
    if as_json:
        events = [_data(number, event) for number, event in shown]
        print_json({"events": events, "more_before": shown[-1][0] if more else None})
        return
    click.echo(columns(_HEAD, [_row(*one) for one in shown]) if shown else "No events.")
    if more:
        click.echo(f"There are more: --before {shown[-1][0]}", err=True)


def _data(number: int, event: AuditEvent) -> dict[str, object]:
    return {
        "number": number,
        "at": moment(event.at),
        "actor": event.actor,
        "action": event.action,
        "target": event.target,
        "outcome": event.outcome,
        "address": event.address,
        "detail": dict(event.detail),
    }


def _row(number: int, event: AuditEvent) -> tuple[str, ...]:
    return (
        str(number),
        moment(event.at),
        event.actor,
        event.action,
        event.target,
        event.outcome,
        event.address,
        ", ".join(f"{key}: {value}" for key, value in event.detail.items()),
    )
