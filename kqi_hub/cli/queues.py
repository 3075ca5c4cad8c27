"""Queues: what is free, what it costs, how long one would wait."""

import json
import time
from dataclasses import asdict
from typing import Any

import click

from kqi_hub.cli.amounts import money
from kqi_hub.cli.options import LIFETIME, json_option
from kqi_hub.cli.output import finish, moment, say, show_json, show_table
from kqi_hub.sdk import config as configuration
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.queues import Estimate, FreeOf, Price, Queue, QueueDetails, QueueList

_GB_MB = 1024
tenant_option = click.option(
    "--tenant", help="Look from this tenant; the one in use when left out."
)
all_option = click.option(
    "--all", "shows_all", is_flag=True, help="Show queues that you cannot use, too."
)


@click.group()
def queue() -> None:
    """Queues: what is free, what it costs, how long you would wait."""


@queue.command("list")
@tenant_option
@all_option
@json_option
def list_queues(tenant: str | None, shows_all: bool, as_json: bool) -> None:
    """List the queues and what is free in them."""
    with Client.from_config() as portal:
        found = portal.queues(_tenant(tenant))
    if as_json:
        show_json(found)
    else:
        _show_list(found, shows_all)


@queue.command("watch")
@tenant_option
@all_option
@click.option(
    "--every",
    type=click.IntRange(2, 3600),
    default=5,
    help="Seconds between two questions, defaults to 5. Slurm itself is not asked.",
)
@click.option("--times", type=click.IntRange(1), help="End after so many questions.")
@json_option
def watch_queues(
    tenant: str | None, shows_all: bool, every: int, times: int | None, as_json: bool
) -> None:
    """Show the queues again and again until Ctrl-C; --json: one line for a change."""
    asked, before = 0, -1
    with Client.from_config() as portal:
        while times is None or asked < times:
            if asked:
                time.sleep(every)
            asked += 1
            found = portal.queues(_tenant(tenant))
            if as_json:
                if found.picture.sequence != before:
                    click.echo(json.dumps(asdict(found), ensure_ascii=False))
            else:
                click.clear()
                _show_list(found, shows_all)
            before = found.picture.sequence


@queue.command("show")
@click.argument("name")
@tenant_option
@click.option("--cpus", type=click.IntRange(1), default=1, help="Of a job: its CPUs.")
@click.option(
    "--memory-gb", type=click.IntRange(1), default=4, help="Of a job: its memory in GB."
)
@click.option("--gpus", type=click.IntRange(0), default=0, help="Of a job: its GPUs.")
@click.option("--gpu-type", default="", help="Of a job: the type of its GPUs.")
@click.option(
    "--lifetime", "lifetime_s", type=LIFETIME, help="Of a job: how long, such as 8h."
)
@json_option
def show_queue(
    name: str, tenant: str | None, memory_gb: int, as_json: bool, **job: Any
) -> None:
    """Show queue NAME: nodes, limits, why your jobs wait, and what a job would cost."""
    seen_from, memory_mb = _tenant(tenant), memory_gb * _GB_MB
    with Client.from_config() as portal:
        found = portal.queue(name, seen_from)
        estimate = portal.estimate(name, tenant=seen_from, memory_mb=memory_mb, **job)
    if as_json:
        show_json({"details": asdict(found), "estimate": asdict(estimate)})
        return
    _show_details(found)
    _show_estimate(estimate)


@queue.command("refresh")
@json_option
def refresh(as_json: bool) -> None:
    """Ask for a fresh look at Slurm; it takes some seconds to be there."""
    with Client.from_config() as portal:
        portal.refresh()
    said = "Asked for. Look again in some seconds: kqi queue list"
    finish(said, as_json, asked=True)


def _tenant(asked: str | None) -> str:
    return asked if asked is not None else configuration.load().tenant


def _show_list(found: QueueList, shows_all: bool) -> None:
    shown = [one for one in found.queues if one.may_use or shows_all]
    columns = (
        *("Queue", "Idle", "Mixed", "Alloc", "Down", "Total", "CPUs free"),
        *("GPUs free", "Waiting", "Longest", "Price", ""),
    )
    show_table(columns, [_row(one) for one in shown], "There is no queue for you.")
    hidden = len(found.queues) - len(shown)
    if hidden:
        say(f"Others that you cannot use: {hidden}. --all shows them.")
    say(found.picture.said)


def _row(one: Queue) -> tuple[object, ...]:
    nodes = one.nodes
    return (
        *(one.name, nodes.idle, nodes.mixed, nodes.allocated, nodes.down, nodes.total),
        f"{one.cpus.free}/{one.cpus.total}",
        "shared" if one.shares_gpus else " ".join(map(_gpus, one.gpus)) or "-",
        f"{one.waiting_mine + one.waiting_others} ({one.waiting_mine} yours)",
        _span(one.max_time_s, "no limit"),
        "free" if one.is_free else "charged" if one.has_price else "-",
        one.obstacle or _kind(one),
    )


def _kind(one: Queue) -> str:
    if one.state != "UP":
        return f"closed ({one.state})"
    return "whole nodes" if one.exclusive else ""


def _gpus(found: FreeOf) -> str:
    return f"{found.free}/{found.total} {found.type}".strip()


def _show_details(found: QueueDetails) -> None:
    one = found.queue
    click.echo(f"{one.name}  {one.purpose}".rstrip())
    if one.obstacle:
        click.echo(one.obstacle)
    if one.shares_gpus:
        click.echo("Its GPUs are shared: nothing keeps people's jobs apart there.")
    show_table(
        ("Nodes", "In service", "CPUs", "Memory", "GPUs"),
        [
            (
                *(kind.count, kind.usable, kind.cpus, f"{kind.memory_mb // _GB_MB} GB"),
                " ".join(f"{count} {name}" for name, count in kind.gpus) or "-",
            )
            for kind in found.nodes
        ],
        "It has no nodes.",
    )
    if found.limits:
        show_table(
            ("Limit", "Of", "At most", "Left"),
            [(x.resource, x.account or x.scope, x.most, x.left) for x in found.limits],
            "",
        )
    show_table(
        ("Job", "Name", "Why it waits", "Start expected"),
        [
            (x.job_id, x.name, f"{x.text} {x.hint}".strip(), moment(x.starts_at, "-"))
            for x in found.waiting
        ],
        f"None of your jobs waits there, {one.waiting_others} of others do.",
    )
    say(found.picture.said)


def _show_estimate(found: Estimate) -> None:
    wait = {
        "now": "now",
        "about": f"about {_span(found.wait_s, '')}",
        "longer": f"more than {_span(found.wait_s, '')}",
        "never": "it could never start",
    }.get(found.wait, "not known")
    click.echo(f"Such a job: {_price(found.price)}; wait: {wait}")
    if found.cost_micro and found.price is not None:
        click.echo(f"In all: {money(found.cost_micro, found.price.currency)}")
    for text in (*found.objections, *found.cautions, found.why or ""):
        if text:
            click.echo(f"  {text}")


def _price(price: Price | None) -> str:
    if price is None:
        return "no price set"
    if price.is_free:
        return "free"
    whole = ", whole node" if price.whole_node else ""
    return f"{money(price.micro_per_hour, price.currency)} an hour{whole}"


def _span(seconds: int | None, never: str) -> str:
    if seconds is None:
        return never
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    parts = [(days, "d"), (hours, "h"), (rest // 60, "min")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"
