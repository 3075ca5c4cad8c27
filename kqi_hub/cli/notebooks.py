"""Notebooks: make, start, wait, open, follow, stop."""

import time
import webbrowser
from typing import Any, Final

import click

from kqi_hub.cli.amounts import counted
from kqi_hub.cli.data_options import made_options
from kqi_hub.cli.notebook_history import show_history
from kqi_hub.cli.notebook_options import (
    choice_options,
    chosen,
    complete,
    find,
    tenant_of,
)
from kqi_hub.cli.notebook_wait import wait_until_ready
from kqi_hub.cli.notebook_words import cost, left, told
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, nothing_found, say, show_json, show_table
from kqi_hub.cli.run_estimates import show_estimate
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import NotReachable, PortalError, WrongState
from kqi_hub.sdk.notebooks import Notebook

_AGENT_S: Final = 30
_which = click.argument("which", metavar="NOTEBOOK", shell_complete=complete)
_wait = click.option(
    "--wait/--no-wait", default=True, help="Wait until it is ready; the default."
)


@click.group()
def notebook() -> None:
    """Your notebooks; NOTEBOOK is a name or a number."""


notebook.add_command(show_history)


@notebook.command("list")
@made_options
@click.option("--queue", help="Part of the queue; !x: without.")
@click.option("--status", help="Part of the status; !x: without.")
@click.option("--live", is_flag=True, default=None, help="Only those that live.")
@click.option("--favourite", is_flag=True, default=None, help="Only favourites.")
@click.option("--sort", help="id, name, queue, created_at; - before: down.")
@click.option(
    "--everybody", is_flag=True, help="Everybody's in the tenant, for its managers."
)
@click.option("--tenant", help="With --everybody: whose; the one in use if unsaid.")
@click.option("--created-by", help="With --everybody: part of who made it.")
@json_option
def list_notebooks(
    count: int, everybody: bool, tenant: str | None, as_json: bool, **wanted: Any
) -> None:
    """List your notebooks, favourites first."""
    if not everybody and (tenant or wanted["created_by"]):
        raise click.UsageError("--tenant and --created-by need --everybody.")
    with Client.from_config() as portal:
        if everybody:
            where = tenant_of(portal, tenant)
            found = portal.tenant_notebooks(where, count, **wanted)
        else:
            found = portal.notebooks(count, **wanted)
    if as_json:
        show_json(found)
        return
    show_table(
        ("Id", "", "Name", "Status", "Owner", "Queue", "Job", "Left", "Cost"),
        [
            (
                one.id,
                "*" if one.is_favourite else "",
                one.name,
                one.status,
                one.owner,
                one.choices["queue"],
                one.session.job_id if one.session and one.is_live else None,
                left(one),
                cost(one),
            )
            for one in found
        ],
        nothing_found(
            "There is none. Make one: kqi notebook create NAME --queue QUEUE"
        ),
    )


@notebook.command("show")
@_which
@json_option
def show_notebook(which: str, as_json: bool) -> None:
    """Show a notebook: status, phases with their times, why it waits."""
    with Client.from_config() as portal:
        found = portal.notebook(find(portal, which).id)
    if as_json:
        show_json(found)
        return
    for line in told(found):
        click.echo(line)


@notebook.command("create")
@click.argument("name")
@click.option("--tenant", help="The tenant to charge; the one in use when left out.")
@choice_options
@click.option(
    "--estimate",
    "--check",
    is_flag=True,
    help="Only say what it costs and meets.",
)
@json_option
def create_notebook(
    name: str, tenant: str | None, estimate: bool, as_json: bool, **said: Any
) -> None:
    """Make a notebook called NAME; nothing starts yet."""
    with Client.from_config() as portal:
        where = tenant_of(portal, tenant)
        choices = {"name": name, **chosen(said)}
        if estimate:
            show_estimate(portal.check_notebook(where, choices), as_json)
            return
        made = portal.create_notebook(where, choices)
    if as_json:
        show_json(made)
        return
    say(f"Made {made.name} (notebook {made.id}). Start: kqi notebook start {made.name}")


@notebook.command("start")
@_which
@_wait
@json_option
def start_notebook(which: str, wait: bool, as_json: bool) -> None:
    """Start a notebook, and say why it waits until it is ready."""
    with Client.from_config() as portal:
        found = portal.start_notebook(find(portal, which).id)
        _follow_start(portal, found, wait, as_json)


@notebook.command("rerun")
@_which
@choice_options
@_wait
@json_option
def rerun_notebook(which: str, wait: bool, as_json: bool, **said: Any) -> None:
    """Start a notebook again, with changes."""
    with Client.from_config() as portal:
        found = portal.rerun_notebook(find(portal, which), chosen(said))
        _follow_start(portal, found, wait, as_json)


@notebook.command("stop")
@_which
@json_option
def stop_notebook(which: str, as_json: bool) -> None:
    """Stop a notebook, or cancel its start."""
    with Client.from_config() as portal:
        before = find(portal, which)
        found = portal.stop_notebook(before.id)
    if as_json:
        show_json(found)
        return
    gone = "has stopped" if before.is_live else "does not run"
    what = "is being stopped" if found.is_live else gone
    say(f"{found.name} {what}.")


@notebook.command("open")
@_which
@click.option("--browser", is_flag=True, help="Open it in this machine's browser.")
def open_notebook(which: str, browser: bool) -> None:
    """Print the address of a notebook that is ready; your browser asks for your login.

    No secret is in the address.
    """
    with Client.from_config() as portal:
        address = portal.server + portal.open_notebook(find(portal, which).id).url
    click.echo(address)
    if browser and not webbrowser.open(address):
        raise PortalError("There is no browser here.", "Copy the address to one.")


@notebook.command("logs")
@_which
@click.option("--follow", "-f", is_flag=True, help="Go on as the log grows.")
@click.option("--job", type=click.IntRange(1), help="Another job of it than the last.")
def show_logs(which: str, follow: bool, job: int | None) -> None:
    """Print a notebook's log, through your agent on the portal's machine."""
    with Client.from_config() as portal:
        found = find(portal, which)
        number = job or (found.session.job_id if found.session else None)
        if number is None:
            raise WrongState(f"{found.name} has no job yet, so no log.", "Start it.")
        try:
            _print_log(portal, found.id, number, follow)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(130) from None


@notebook.command("rm")
@_which
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def remove_notebook(which: str, yes: bool, as_json: bool) -> None:
    """Delete a notebook with its choices and history; files stay."""
    with Client.from_config() as portal:
        found = find(portal, which)
        count = len(portal.notebook_sessions(found.id))
        lost = f"its choices and its history, {counted(count, 'session')}, are lost"
        question = f"Delete {found.name}? {lost}; the files of your workspace stay."
        if not yes:
            click.confirm(question, abort=True, err=True)
        portal.delete_notebook(found.id)
    finish(f"{found.name} is deleted.", as_json, id=found.id, name=found.name)


@notebook.command("copy")
@_which
@click.argument("name", default="")
@json_option
def copy_notebook(which: str, name: str, as_json: bool) -> None:
    """Make a notebook with the same choices, called NAME or after the first one."""
    with Client.from_config() as portal:
        made = portal.copy_notebook(find(portal, which).id, name)
    if as_json:
        show_json(made)
        return
    say(f"Made {made.name} (notebook {made.id}).")


def _follow_start(portal: Client, found: Notebook, wait: bool, as_json: bool) -> None:
    if wait:
        found = wait_until_ready(portal, found)
    if as_json:
        show_json(found)
    elif found.is_ready:
        say(f"Open it: kqi notebook open {found.name}")


def _print_log(portal: Client, notebook_id: int, job: int, follow: bool) -> None:
    """Print what there is, and with `follow` what comes, until the session ends."""
    way, start, began = portal.agent(), None, time.monotonic()
    renew_at = began + way.lifetime_s / 2
    while True:
        piece = portal.log_piece(way, job, start)
        if piece is None:
            if time.monotonic() > began + _AGENT_S:
                raise NotReachable("Your agent does not start.", "Tell the operators.")
            time.sleep(0.5)
            continue
        click.echo(piece["text"], nl=False)
        start = int(piece["to"])
        if start < int(piece["size"]):
            continue
        if not follow or not portal.notebook(notebook_id).is_live:
            return
        if time.monotonic() > renew_at:
            way, began = portal.agent(), time.monotonic()
            renew_at = began + way.lifetime_s / 2
        time.sleep(1.0)
