"""kqi-hub reconcile: the book beside Slurm's own accounting."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import click

from kqi_hub.bootstrap.reconciling import open_reconciler
from kqi_hub.domain.budgets import period_named
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.reconciliation import (
    HARMLESS,
    AccountUse,
    Cause,
    Difference,
    Reconciliation,
    Use,
    to_json,
)
from kqi_hub.operator.columns import columns
from kqi_hub.operator.invocation import Invocation, pass_invocation, print_json

_HEAD = ("ACCOUNT", "SECONDS OF", "OURS", "SLURM", "DIFFERENCE", "ROLLED UP - SLURM")
_NAMED_HEAD = ("CAUSE", "ACCOUNT", "JOB", "DAY", "CPU", "GPU", "NODE")
_TRES = {"cpu_s": "CPU", "memory_mb_s": "MB", "gpu_s": "GPU", "node_s": "NODE"}
_ROLLED_UP = (
    "  Slurm's roll-up takes the time of suspended jobs off their CPUs alone, not off "
    "memory, GPUs and nodes."
)
_SAID = {
    Cause.RUNNING: "have not ended: their use is posted at their end",
    Cause.LATE: "ended lately: the next reading has them",
    Cause.CHANGED: "were changed in Slurm after they were read",
    Cause.SUSPENDED: "were suspended: on which day cannot be told to the second",
    Cause.MISSING: "are in Slurm alone",
    Cause.GONE: "are in the book alone: purged from Slurm, or archived",
    Cause.RUNAWAY: "run for accounting and not for the controller: "
    "sacctmgr show runawayjobs",
    Cause.UNPOSTED: "accounts and days whose records and book differ: "
    "kqi-hub ledger verify",
}


@click.command()
@click.option("--month", metavar="MONTH", help="Such as 2026-11; else this one so far.")
@click.option(
    "--now",
    "to_now",
    is_flag=True,
    help="To this moment; else to the last full hour, as Slurm rolls up hours.",
)
@click.option("--last", is_flag=True, help="Show what was found last; nobody is asked.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_invocation
def reconcile(
    invocation: Invocation, month: str | None, to_now: bool, last: bool, as_json: bool
) -> None:
    """Compare the book with Slurm, to the second, for each account and resource.

    Accounting is asked a second time (sacct -T) and its roll-up (sreport). The exit
    code is 1 where something differs that does not settle by itself.
    """
    reconciler = open_reconciler(invocation.settings)
    if last:
        found = reconciler.kept.kept()
        if found is None:
            raise InvalidInput(
                "Nothing has been compared yet.", "Do it: kqi-hub reconcile"
            )
    else:
        since, until = reconciler.this_month(to_now)
        if month is not None:
            period = period_named(month)
            since = reconciler.days.month_begins(period)
            until = min(until, reconciler.days.month_ends(period))
        found = asyncio.run(reconciler.compare(since, until))
    if as_json:
        print_json(to_json(found))
    else:
        click.echo("\n".join(_lines(found)))
    if found.troubles or not found.unexplained.is_nothing:
        click.get_current_context().exit(1)


def _lines(found: Reconciliation) -> Iterator[str]:
    yield f"From {_moment(found.since)} to {_moment(found.until)}"
    rows = [row for one in found.accounts for row in _rows(one)]
    yield columns(_HEAD, rows) if rows else "Nothing was used."
    if any(row[-1] not in {"-", "+0"} for row in rows):
        yield _ROLLED_UP
    for cause in found.causes:
        mark = " " if cause in HARMLESS else "!"
        count, use = found.counts[cause], found.causes[cause]
        yield f"{mark} {cause}: {count} {_SAID[cause]} ({_short(use)})"
    named = [_named(one) for one in found.named if one.cause not in HARMLESS]
    if named:
        yield columns(_NAMED_HEAD, named)
    if not found.unexplained.is_nothing:
        yield f"! {_short(found.unexplained)} have no cause: please report this."
    elif not found.causes:
        yield "The book and Slurm agree to the second."


def _rows(one: AccountUse) -> Iterator[tuple[str, ...]]:
    for name, shown in _TRES.items():
        ours, slurm = getattr(one.ours, name), getattr(one.slurm, name)
        rolled = "-"
        if one.rolled_up is not None:
            rolled = f"{getattr(one.rolled_up, name) - slurm:+d}"
        if ours or slurm or rolled not in {"-", "+0"}:
            yield (
                one.account,
                shown,
                str(ours),
                str(slurm),
                f"{ours - slurm:+d}",
                rolled,
            )


def _named(one: Difference) -> tuple[str, ...]:
    day = datetime.fromordinal(one.day).date().isoformat()
    use = (f"{n:+d}" for n in (one.use.cpu_s, one.use.gpu_s, one.use.node_s))
    return one.cause.value, one.account, str(one.job_id or "-"), day, *use


def _short(use: Use) -> str:
    return f"CPU {use.cpu_s:+d} s, GPU {use.gpu_s:+d} s, node {use.node_s:+d} s"


def _moment(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%MZ")
