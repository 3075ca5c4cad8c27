"""What has run of a preprocessing: listed, followed, stopped, deleted with products."""

from collections.abc import Iterator
from typing import Final

import click

from kqi_hub.cli.data_options import yes_option
from kqi_hub.cli.notebook_figures import span
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import moment, plain, say, show_json, show_table
from kqi_hub.cli.preprocessing_options import data_option, id_argument, numbers
from kqi_hub.cli.run_watching import print_log
from kqi_hub.cli.run_words import ended, teller
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.data import Outcome
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.run_models import PreprocessingRun


class NotAll(PortalError):
    """Some of several could not be done."""

    exit_code = 5


class HasNotRun(PortalError):
    """There is no run of a preprocessing on a data item."""

    exit_code = 4


_item = click.option(
    "--data", "-d", "item", type=click.IntRange(1), required=True,
    help="Number of the data item.",
)  # fmt: skip


@click.command("list-histories")
@id_argument
@click.option("--state", multiple=True, help="A state, or live; repeat.")
@json_option
def list_histories(
    preprocessing_id: int, state: tuple[str, ...], as_json: bool
) -> None:
    """List what has run of it, a line for each data item."""
    with Client.from_config() as portal:
        found = list(
            portal.preprocessing_runs(
                preprocessing=preprocessing_id, state=",".join(state)
            )
        )
    if as_json:
        show_json(found)
        return
    show_table(
        ("Data", "Run", "State", "Job", "Owner", "Asked", "Ran", "Detail"),
        [
            (
                *(one.data, one.id, one.status, one.slurm_id, one.owner),
                *(moment(int(one.asked_at)), span(one.ran_s), one.detail),
            )
            for one in found
        ],
        f"It has never run: kqi preprocessing run {preprocessing_id} --data NUMBER",
    )


@click.command("list-products")
@id_argument
@_item
@json_option
def list_products(preprocessing_id: int, item: int, as_json: bool) -> None:
    """List the data that it has made of a data item."""
    with Client.from_config() as portal:
        found = portal.products(run_on(portal, preprocessing_id, item).id)
    if as_json:
        show_json(found)
        return
    show_table(
        ("Id", "Name", "Files", "Tags"),
        [(one.id, one.name, one.files, ", ".join(one.tags)) for one in found],
        "It has made none.",
    )


@click.command("logs")
@id_argument
@_item
@click.option("--follow", "-f", is_flag=True, help="Go on until it has ended.")
@click.option("--tail", is_flag=True, help="Begin near the end of the log.")
def show_logs(preprocessing_id: int, item: int, follow: bool, tail: bool) -> None:
    """Print its log on a data item, through your agent on the portal's machine."""
    with Client.from_config() as portal:
        found = run_on(portal, preprocessing_id, item)
        print_log(portal, PreprocessingRun, found.id, follow=follow, tail=tail)


@click.command("script")
@id_argument
@_item
def show_script(preprocessing_id: int, item: int) -> None:
    """Print the script of the array that a data item is of."""
    with Client.from_config() as portal:
        found = run_on(portal, preprocessing_id, item)
        text = portal.run_script(PreprocessingRun, found.id)
        click.echo(text.removesuffix("\n"))


@click.command("wait")
@id_argument
@data_option
@json_option
def wait_for_runs(preprocessing_id: int, data: tuple[str, ...], as_json: bool) -> None:
    """Wait until it has ended on all of these data; exit 1 if one did not complete."""
    over: list[PreprocessingRun] = []
    with Client.from_config() as portal:
        for found in _runs(portal, preprocessing_id, data):
            done = portal.wait(found, tell=teller()) if found.is_live else found
            say(f"Data {done.data}: {ended(done)}")
            over.append(done)
    if as_json:
        show_json(over)
    if any(one.state != "completed" for one in over):
        raise click.exceptions.Exit(1)


@click.command("halt-history")
@id_argument
@data_option
@click.option(
    "--normal/--failed", "is_normal", default=True,
    help="Call it user-canceled afterwards (the default), or killed.",
)  # fmt: skip
@json_option
def halt_histories(
    preprocessing_id: int, data: tuple[str, ...], is_normal: bool, as_json: bool
) -> None:
    """Stop it on these data."""
    done = []
    with Client.from_config() as portal:
        for found in _runs(portal, preprocessing_id, data):
            try:
                portal.stop_run(PreprocessingRun, found.id, as_failed=not is_normal)
                done.append(Outcome(found.id, True))
            except PortalError as error:
                say(f"data {found.data}: {error}")
                done.append(Outcome(found.id, False, detail=error.message))
    _tell_done(done, as_json)


@click.command("delete-history")
@id_argument
@data_option
@yes_option
@json_option
def delete_histories(
    preprocessing_id: int, data: tuple[str, ...], yes: bool, as_json: bool
) -> None:
    """Delete its runs on these data with what they made; jobs end first.

    What is in use stays.
    """
    done = []
    with Client.from_config() as portal:
        wanted = list(_runs(portal, preprocessing_id, data))
        if not yes:
            for one in wanted:
                made = portal.past_deletion(one.id)
                names = ", ".join(f"data {item.id}" for item in made.data) or "no data"
                say(f"run {one.id} on data {one.data}: {names} made of it go too.")
                if one.is_live:
                    say("  It has not ended: its job is ended first.")
            click.confirm("Delete for good?", abort=True, err=True)
        for one in wanted:
            try:
                portal.delete_run(PreprocessingRun, one.id)
                done.append(Outcome(one.id, True))
                if one.is_live:
                    say(f"data {one.data}: it goes when its job has ended.")
            except PortalError as error:
                say(f"data {one.data}: {error}")
                done.append(Outcome(one.id, False, detail=error.message))
    _tell_done(done, as_json)


def _runs(
    portal: Client, preprocessing_id: int, data: tuple[str, ...]
) -> Iterator[PreprocessingRun]:
    """Yield its run on each of these data."""
    wanted = numbers(data)
    found = portal.preprocessing_runs(preprocessing=preprocessing_id)
    known = {one.data: one for one in found}
    for number in wanted:
        if number not in known:
            raise _has_not_run(preprocessing_id, number)
        yield known[number]


def run_on(portal: Client, preprocessing_id: int, item: int) -> PreprocessingRun:
    """Return its run on a data item."""
    found = portal.preprocessing_runs(1, preprocessing=preprocessing_id, data=item)
    one = next(found, None)
    if one is None:
        raise _has_not_run(preprocessing_id, item)
    return one


def _has_not_run(preprocessing_id: int, item: int) -> HasNotRun:
    return HasNotRun(
        f"Preprocessing {preprocessing_id} has not been run on data {item}.",
        f"See on which: kqi preprocessing list-histories {preprocessing_id}",
    )


def _tell_done(done: list[Outcome], as_json: bool) -> None:
    refused = sum(not one.done for one in done)
    if as_json:
        show_json({"outcomes": plain(done)})
    if refused:
        raise NotAll(f"{refused} were refused.", "See above.")
    if not as_json:
        say("Done.")


HISTORY: Final = (
    list_histories,
    list_products,
    show_logs,
    show_script,
    wait_for_runs,
    halt_histories,
    delete_histories,
)
