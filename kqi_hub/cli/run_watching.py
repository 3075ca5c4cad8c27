"""Wait for trainings and inferences, and follow what they write."""

from typing import Final

import click

from kqi_hub.cli.options import LIFETIME, json_option
from kqi_hub.cli.output import say, show_json
from kqi_hub.cli.run_options import id_argument
from kqi_hub.cli.run_words import ended, teller
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.run_models import Run

Kind = type[Run]


@click.command("wait")
@id_argument
@click.option("--timeout", type=LIFETIME, help="Give up after this time, exit 124.")
@json_option
@click.pass_obj
def wait_for_run(kind: Kind, run_id: int, timeout: int | None, as_json: bool) -> None:
    """Wait for its end, and exit with the exit code of its job.

    A run that was stopped, refused or lost and has no exit code ends with 1.
    """
    with Client.from_config() as portal:
        finish(portal, portal.run(kind, run_id), as_json, timeout)


@click.command("logs")
@id_argument
@click.option("--follow", "-f", is_flag=True, help="Go on until it has ended.")
@click.option("--tail", is_flag=True, help="Begin near the end of the log.")
@click.pass_obj
def show_logs(kind: Kind, run_id: int, follow: bool, tail: bool) -> None:
    """Print its log, through your agent on the portal's machine."""
    with Client.from_config() as portal:
        print_log(portal, kind, run_id, follow=follow, tail=tail)


def print_log(
    portal: Client, kind: Kind, run_id: int, *, follow: bool, tail: bool
) -> None:
    """Print the log of a run of one's own."""
    run = own(portal, kind, run_id)
    if follow and run.is_live and run.job_id is None:
        say(f"{kind.kind} {run_id} is {run.state}: its log comes when it runs.")
    try:
        for text in portal.run_log(run, follow=follow, whole=not tail):
            # As bytes it stays as it is, colours too: pieces end anywhere.
            click.echo(text.encode(), nl=False)
    except KeyboardInterrupt:
        raise click.exceptions.Exit(130) from None


def own(portal: Client, kind: Kind, run_id: int) -> Run:
    """Return a run of one's own: what others' have written is theirs to read."""
    run = portal.run(kind, run_id)
    if not run.is_own:
        error = PortalError(
            f"{kind.kind.capitalize()} {run_id} is of {run.owner}: only they read "
            "its log and files.",
            "Ask them to share a copy.",
        )
        error.exit_code = 3
        raise error
    return run


def finish(
    portal: Client, run: Run, as_json: bool, most_s: float | None = None
) -> None:
    """Wait for the end of a run and exit as its job; Ctrl-C ends only the waiting."""
    try:
        run = portal.wait(run, most_s=most_s, tell=teller())
    except KeyboardInterrupt:
        say(
            f"\n{run.kind.capitalize()} {run.id} goes on without you. See it: kqi "
            f"{run.kind} get {run.id}; stop it: kqi {run.kind} stop {run.id}"
        )
        raise click.exceptions.Exit(130) from None
    if as_json:
        show_json(run)
    else:
        say(ended(run))
    raise click.exceptions.Exit(_exit_code(run))


def _exit_code(run: Run) -> int:
    if run.state == "completed":
        return 0
    # What was stopped or ran out of time may have ended with 0, and is no success.
    return run.exit_code or 1


WATCHING: Final = (wait_for_run, show_logs)
