"""What was used and what it cost: one's own, a tenant's, the cluster's."""

from collections.abc import Callable
from typing import Any, Final

import click

from kqi_hub.cli.amounts import money
from kqi_hub.cli.jobs import span
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import moment, say, show_json, show_table
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.usage import BookLine, UsageSums, UsedRun

_HOUR_S: Final = 3600
_BY: Final = ("day", "month", "tenant", "person", "queue", "qos", "gpu-type", "kind")
_KINDS: Final = (
    *("notebook", "training", "inference", "preprocessing", "tensorboard"),
    *("environment", "other"),
)
_TOPS: Final = {
    "cost": "Dearest runs",
    "failed-gpu": "Most failed GPU hours",
    "wait": "Longest waits",
}
_OPTIONS: Final = (
    click.option(
        "--of",
        type=click.Choice(("mine", "tenant", "cluster")),
        default="mine",
        help="Whose: your own (default), all of a tenant's, the cluster's.",
    ),
    click.option("--tenant", default="", help="Of one tenant."),
    click.option("--person", default="", help="Of one person of it."),
    click.option("--queue", default="", help="In one queue."),
    click.option("--qos", default="", help="Of one QOS."),
    click.option("--gpu-type", default="", help="With GPUs of a type; - is none."),
    click.option("--kind", type=click.Choice(_KINDS), default=None, help="Of a kind."),
    click.option(
        "--period",
        default="",
        help="this-month (default), last-month, 30-days, 12-months, 2026-11, 2026.",
    ),
    click.option("--since", default="", help="From this day on: 2026-11-21."),
    click.option("--until", default="", help="Up to this day, it too."),
)


def narrowing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say whose use is meant, and of when."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group(invoke_without_command=True)
@click.pass_context
def usage(context: click.Context) -> None:
    """Show what you used and what it cost; alone: this month, by day."""
    if context.invoked_subcommand is None:
        context.invoke(show_usage)


@usage.command("show")
@click.option("--by", type=click.Choice(_BY), default="day", help="Add up by this.")
@narrowing
@click.option("--csv", "as_csv", is_flag=True, help="Answer as a file: > use.csv")
@json_option
def show_usage(by: str, as_csv: bool, as_json: bool, **narrow: str | None) -> None:
    """Add up what was used, by day or by anything else."""
    asked = {name: value or "" for name, value in narrow.items()}
    with Client.from_config() as portal:
        if as_csv:
            click.echo(portal.usage_csv(by, asked).encode(), nl=False)
            return
        found = portal.usage(by, asked)
    if as_json:
        show_json(found)
        return
    rows = [(row.key or "-", *_sums(row.sums)) for row in found.rows]
    if rows:
        rows.append(("all", *_sums(found.total)))
    heads = ("Cost", "GPU h", "CPU h", "Runs", "Failed", "Waited")
    show_table((by.capitalize(), *heads), rows, "Nothing was used in this time.")
    say(f"{found.first} to {found.last} ({found.time_zone}), in {found.currency}")
    if found.is_filling:
        say("Older months are still being read from Slurm: sums of theirs may grow.")


@usage.command("runs")
@click.option("--failed", is_flag=True, help="Only those that failed.")
@click.option("--after", default="", help="Go on where a page ended.")
@narrowing
@click.option(
    "--csv", "as_csv", is_flag=True, help="All of them, as a file: > runs.csv"
)
@json_option
def list_runs(
    failed: bool, after: str, as_csv: bool, as_json: bool, **narrow: str | None
) -> None:
    """List the runs behind the sums, the last ended first."""
    asked = {name: value or "" for name, value in narrow.items()}
    with Client.from_config() as portal:
        if as_csv:
            text = portal.used_runs_csv(asked, failed=failed)
            click.echo(text.encode(), nl=False)
            return
        found = portal.used_runs(asked, failed=failed, after=after)
    if as_json:
        show_json(found)
        return
    columns = ("Job", "Name", "Whose", "Queue", "State", "Ended", "Ran", "Cost")
    show_table(columns, map(_row, found.runs), "No run is like that.")
    say(f"{found.first} to {found.last}, in {found.currency}")
    if found.following:
        say(f"There are more: --after {found.following}")


@usage.command("top")
@click.option("--limit", type=click.IntRange(1, 100), default=10, help="So many each.")
@narrowing
@json_option
def list_top(limit: int, as_json: bool, **narrow: str | None) -> None:
    """List the dearest runs, most failed GPU hours, longest waits."""
    asked = {name: value or "" for name, value in narrow.items()}
    with Client.from_config() as portal:
        found = portal.top_runs(asked, limit=limit)
    if as_json:
        show_json(found)
        return
    columns = ("Job", "Name", "Whose", "Queue", "State", "Waited", "GPU h", "Cost")
    for one in found:
        say(_TOPS.get(one.by, one.by))
        show_table(columns, map(_top_row, one.runs), "None in this time.")


@usage.command("samples")
@click.option("--tenant", default="", help="Runs of one tenant.")
@click.option("--period", default="", help="1-day (default), 7-days, 2026-11.")
@click.option("--since", default="", help="From this day on: 2026-11-21.")
@click.option("--until", default="", help="Up to this day, it too.")
def show_samples(**narrow: str) -> None:
    """Print what ran on which node at each full hour, as a file: > samples.csv."""
    with Client.from_config() as portal:
        click.echo(portal.samples_csv(narrow).encode(), nl=False)


@usage.command("job")
@click.argument("job", type=click.IntRange(1))
@click.option(
    "--of",
    type=click.Choice(("mine", "tenant", "cluster")),
    default="mine",
    help="Among whose: your own (default), your tenant's, the cluster's.",
)
@click.option("--tenant", default="", help="Of one tenant.")
@json_option
def show_job(job: int, of: str, tenant: str, as_json: bool) -> None:
    """Show what a job cost, line by line; all runs of one that was requeued."""
    with Client.from_config() as portal:
        since = {"since": "2000-01-01", "of": of, "tenant": tenant}
        found = portal.used_runs(since, job=job, per_page=1000)
        costs = [portal.run_cost(run.id) for run in found.runs]
    if as_json:
        show_json(costs)
        return
    for cost in costs:
        run = cost.run
        click.echo(f"{run.job}  {run.name}  {run.state}  {run.queue}  {_size(run)}")
        heads = ("Day", "Bill", "What", "Hours", "Price of an hour", "Cost", "Card")
        show_table(heads, map(_line, cost.lines), "It cost nothing.")
        click.echo(f"Together: {money(run.cost_micro, cost.currency)}")
    if not costs:
        say(f"No run of job {job} is known (yet): accounting is read every 5 minutes.")


def hours(seconds: int) -> str:
    """Return seconds as hours."""
    return f"{seconds / _HOUR_S:,.1f}"


def _sums(sums: UsageSums) -> tuple[object, ...]:
    mean = sums.waited_s // sums.started_runs if sums.started_runs else None
    return (
        *(money(sums.cost_micro), hours(sums.gpu_s), hours(sums.cpu_s)),
        *(sums.runs, sums.failed_runs, "-" if mean is None else span(mean)),
    )


def _row(run: UsedRun) -> tuple[object, ...]:
    whose = f"{run.person} ({run.tenant})"
    ran = "-" if run.ran_s is None else span(run.ran_s)
    ended = moment(run.ended_at, "-")
    return (
        *(run.job, run.name, whose, run.queue, run.state, ended, ran),
        money(run.cost_micro),
    )


def _top_row(run: UsedRun) -> tuple[object, ...]:
    waited = "-" if run.waited_s is None else span(run.waited_s)
    whose = f"{run.person} ({run.tenant})"
    return (
        *(run.job, run.name, whose, run.queue, run.state, waited),
        *(hours(run.gpu_s), money(run.cost_micro)),
    )


def _line(line: BookLine) -> tuple[object, ...]:
    price = "-" if line.per_hour_micro is None else money(line.per_hour_micro)
    return (
        *(line.day, line.period, line.reason or line.kind),
        *(f"{line.seconds / _HOUR_S:.4f}", price, money(line.cost_micro)),
        "-" if line.card is None else line.card,
    )


def _size(run: UsedRun) -> str:
    gpus = ", ".join(f"{count} {kind or 'GPU'}" for kind, count in run.gpus.items())
    return f"{run.cpus} CPU{f', {gpus}' if gpus else ''}"
