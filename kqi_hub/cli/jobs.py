"""All jobs: whatever one has in Slurm, started by the portal or by hand."""

import click

from kqi_hub.cli.amounts import money
from kqi_hub.cli.options import LIFETIME, json_option
from kqi_hub.cli.output import finish, moment, say, show_json, show_table
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.jobs import JobTask, SlurmJob

_SHOWS = ("all", "live", "waiting", "running", "ended")
_KINDS = (
    *("notebook", "training", "inference", "preprocessing", "tensorboard"),
    *("environment", "other"),
)
job_argument = click.argument("job", metavar="JOB")


@click.group()
def job() -> None:
    """All your jobs in Slurm; JOB is a number such as 12, or 12_3 of an array."""


@job.command("list")
@click.option("--show", type=click.Choice(_SHOWS), default="all", help="Which of them.")
@click.option("--kind", type=click.Choice(_KINDS), help="Of one kind.")
@click.option("--text", default="", help="With this in number, name, queue, tenant.")
@click.option("--page", type=click.IntRange(1), default=1, help="Page, defaults to 1.")
@json_option
def list_jobs(show: str, kind: str | None, text: str, page: int, as_json: bool) -> None:
    """List your jobs, the newest first; an array is one line."""
    with Client.from_config() as portal:
        found = portal.jobs(show=show, kind=kind or "", text=text, page=page)
    if as_json:
        show_json(found)
        return
    columns = ("Job", "Name", "Kind", "State", "Queue", "Submitted", "Ran", "Cost")
    show_table(columns, map(_row, found.jobs), "None of your jobs is like that.")
    if found.found > len(found.jobs):
        say(f"{len(found.jobs)} of {found.found}; more: --page {page + 1}")
    say(found.said)


@job.command("get")
@job_argument
@json_option
def get_job(job: str, as_json: bool) -> None:
    """Show one job, why it waits and what it costs; of an array every task."""
    with Client.from_config() as portal:
        found = portal.job(job)
    if as_json:
        show_json(found)
        return
    click.echo(f"{found.id}  {found.name}  {_kind(found)}")
    click.echo(f"{found.queue}  {found.tenant}  {_size(found)}")
    if found.cost_micro is not None:
        words = "Cost" if found.is_billed else "Cost so far"
        click.echo(f"{words}: {_cost(found)}")
    columns = ("Job", "State", "Exit", "Node", "Started", "Ends", "Ran", "Why")
    show_table(columns, map(_task_row, found.tasks), "")


@job.command("cancel")
@click.argument("jobs", metavar="JOB...", nargs=-1, required=True)
@json_option
def cancel_jobs(jobs: tuple[str, ...], as_json: bool) -> None:
    """Cancel jobs; the number of an array alone cancels all its tasks."""
    with Client.from_config() as portal:
        for one in jobs:
            portal.cancel_job(one)
            if not as_json:
                say(f"Job {one} is being cancelled.")
    if as_json:
        show_json({"cancelled": jobs})


@job.command("hold")
@job_argument
@json_option
def hold_job(job: str, as_json: bool) -> None:
    """Keep a waiting job from starting, until you release it."""
    with Client.from_config() as portal:
        portal.hold_job(job)
    said = f"Job {job} is held. Let it start: kqi job release {job}"
    finish(said, as_json, held=job)


@job.command("release")
@job_argument
@json_option
def release_job(job: str, as_json: bool) -> None:
    """Let a held job start."""
    with Client.from_config() as portal:
        portal.release_job(job)
    finish(f"Job {job} waits for its turn again.", as_json, released=job)


@job.command("logs")
@job_argument
@click.option("--follow", "-f", is_flag=True, help="Go on until it has ended.")
@click.option("--tail", is_flag=True, help="Begin near the end of the log.")
def show_log(job: str, follow: bool, tail: bool) -> None:
    """Print the log of a job of the portal, through your agent on its machine."""
    with Client.from_config() as portal:
        try:
            for text in portal.job_log(job, follow=follow, whole=not tail):
                # As bytes it stays as it is, colours too: pieces end anywhere.
                click.echo(text.encode(), nl=False)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(130) from None


@job.command("wait")
@job_argument
@click.option("--timeout", type=LIFETIME, help="Give up after this time, exit 124.")
@json_option
def wait_for_job(job: str, timeout: int | None, as_json: bool) -> None:
    """Wait until all of it has ended; exit 0 if all of it completed, else 1."""
    told: set[str] = set()

    def tell(found: SlurmJob) -> None:
        for text in (_states(found), *(f"  {_why(task)}" for task in found.tasks[:1])):
            if text.strip() and text not in told:
                told.add(text)
                say(text)

    with Client.from_config() as portal:
        try:
            found = portal.wait_job(job, most_s=timeout, tell=tell)
        except KeyboardInterrupt:
            say(f"\nJob {job} goes on without you. Cancel it: kqi job cancel {job}")
            raise click.exceptions.Exit(130) from None
    if as_json:
        show_json(found)
    raise click.exceptions.Exit(0 if found.has_completed else 1)


def _row(found: SlurmJob) -> tuple[object, ...]:
    ran = [task.ran_s for task in found.tasks if task.ran_s is not None]
    submitted = [task.submitted_at for task in found.tasks if task.submitted_at]
    return (
        *(found.id, found.name, _kind(found), _states(found), found.queue),
        moment(min(submitted, default=None), "-"),
        span(max(ran)) if ran else "-",
        _cost(found),
    )


def _task_row(task: JobTask) -> tuple[object, ...]:
    return (
        f"{task.id}_[{task.task}]" if task.id.isdecimal() and task.task else task.id,
        "HELD" if task.is_held else task.state,
        "-" if task.exit_code is None else task.exit_code,
        task.node or "-",
        moment(task.starts_at, "-"),
        moment(task.ends_at, "-"),
        "-" if task.ran_s is None else span(task.ran_s),
        _why(task),
    )


def _kind(found: SlurmJob) -> str:
    return found.kind if found.thing is None else f"{found.kind} {found.thing}"


def _cost(found: SlurmJob) -> str:
    return "-" if found.cost_micro is None else money(found.cost_micro, found.currency)


def _states(found: SlurmJob) -> str:
    if not found.is_array:
        return "HELD" if found.tasks[0].is_held else found.tasks[0].state
    return ", ".join(f"{count} {state}" for state, count in found.counts.items())


def _size(found: SlurmJob) -> str:
    parts = (f"{found.cpus} CPU", found.memory, found.gres)
    return ", ".join(filter(None, parts))


def _why(task: JobTask) -> str:
    return f"{task.why} {task.hint}".strip()


def span(seconds: int) -> str:
    """Return a time as Slurm writes it, such as 1-02:03:04."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    clock = f"{hours:02}:{minutes:02}:{left:02}"
    return f"{days}-{clock}" if days else clock
