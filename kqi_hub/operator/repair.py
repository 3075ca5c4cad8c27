"""kqi-hub repair: notebooks that database and Slurm do not agree about."""

import asyncio
import time
from dataclasses import asdict

import click

from kqi_hub.bootstrap.repair import repair_sources
from kqi_hub.operator.columns import columns
from kqi_hub.operator.invocation import Invocation, pass_invocation, print_json
from kqi_hub.services.repair import (
    Kind,
    Sources,
    Stray,
    find_strays,
    repair as put_right,
)

_HEAD = ("WHAT", "PERSON", "JOB", "NAME", "REPAIR")
_LEFT_ALONE = "none; --cancel ends it"


@click.command()
@click.option("--do", "is_real", is_flag=True, help="Do it; else it is only told.")
@click.option(
    "--cancel",
    "cancelled",
    type=int,
    multiple=True,
    metavar="JOB",
    help="Cancel this stray job too; may be given again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_invocation
def repair(
    invocation: Invocation, is_real: bool, cancelled: tuple[int, ...], as_json: bool
) -> None:
    """Find notebooks that the portal and Slurm do not agree about; repair with --do.

    A job that runs is never ended for it: a stray one only when --cancel names it.
    The exit code is 0 also when something was found.
    """
    sources = repair_sources(invocation.settings)
    found = asyncio.run(_run(sources, is_real, frozenset(cancelled)))
    if as_json:
        print_json({"done": is_real, "found": [asdict(one) for one in found]})
        return
    if not found:
        click.echo("Nothing to repair: every session has its job, every job a session.")
        return
    click.echo(columns(_HEAD, [_row(one, frozenset(cancelled)) for one in found]))
    if not is_real:
        click.echo("Nothing was changed. Repair it with --do.", err=True)


async def _run(
    sources: Sources, is_real: bool, cancelled: frozenset[int]
) -> tuple[Stray, ...]:
    found = await find_strays(sources)
    for one in found if is_real else ():
        if one.kind is not Kind.STRAY or one.job_id in cancelled:
            await put_right(sources, one, time.time())
    return found


def _row(one: Stray, cancelled: frozenset[int]) -> tuple[str, ...]:
    stray = "cancel it" if one.job_id in cancelled else _LEFT_ALONE
    job = "-" if one.job_id is None else str(one.job_id)
    return one.kind.value, one.owner, job, one.job_name, one.deed or stray
