"""kqi-hub jobs: the jobs of the stored picture."""

import time
from collections.abc import Sequence
from dataclasses import asdict

import click

from kqi_hub.domain.job import Job
from kqi_hub.domain.ports import SnapshotStore
from kqi_hub.operator.columns import columns
from kqi_hub.operator.invocation import Invocation, pass_invocation, print_json
from kqi_hub.operator.picture import open_picture
from kqi_hub.services.freshness import words_for

_HEAD = ("JOB", "USER", "ACCOUNT", "QUEUE", "STATE", "TIME", "CPUS", "GRES", "NAME", "")


@click.command()
@click.option("--user", metavar="NAME", help="Jobs of this person only.")
@click.option("--all", "with_ended", is_flag=True, help="Ended jobs too.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="Show at most so many.",
)
@click.option("--after", type=int, metavar="JOB", help="Go on below this job's number.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_invocation
def jobs(
    invocation: Invocation,
    user: str | None,
    with_ended: bool,
    limit: int,
    after: int | None,
    as_json: bool,
) -> None:
    """Show jobs, newest first, as the worker saw them last.

    Slurm is not asked. Standard error tells how old the picture is.
    """
    picture = open_picture(invocation)
    found = _find(picture.store, user, with_ended, (limit + 1, after))
    shown, more = found[:limit], len(found) > limit
    if as_json:
        data = {"picture": picture.as_json(), "jobs": list(map(asdict, shown))}
        print_json({**data, "more_after": shown[-1].job_id if more else None})
        return
    picture.say()
    click.echo(_table(shown))
    if more:
        click.echo(f"There are more: --after {shown[-1].job_id}", err=True)


def _find(
    store: SnapshotStore,
    user: str | None,
    with_ended: bool,
    window: tuple[int, int | None],
) -> Sequence[Job]:
    limit, after = window
    if with_ended:
        return store.jobs(user, limit, after)
    live = [job for job in store.live_jobs(user) if after is None or job.job_id < after]
    return sorted(live, key=lambda job: -job.job_id)[:limit]


def _table(shown: Sequence[Job]) -> str:
    if not shown:
        return "No jobs."
    now = time.time()
    return columns(_HEAD, [_row(job, now) for job in shown])


def _row(job: Job, now: float) -> tuple[str, ...]:
    return (
        number(job),
        job.user,
        job.account,
        job.partition,
        job.state,
        _time(job, now),
        str(job.cpus),
        job.gres,
        job.name,
        job.node_list or (f"({job.reason})" if job.reason else ""),
    )


def number(job: Job) -> str:
    """Return the number by which people know the job, such as 12_3 for a task."""
    if job.array_id is None or job.task is None:
        return str(job.job_id)
    return f"{job.array_id}_{job.task}"


def _time(job: Job, now: float) -> str:
    if job.is_waiting or job.starts_at is None:
        return ""
    end = job.ends_at if job.is_over and job.ends_at is not None else now
    return words_for(max(0.0, end - job.starts_at))
