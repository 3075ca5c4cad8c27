"""Results of a preprocessing that was run elsewhere: uploaded, folder by folder."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from kqi_hub.cli.amounts import files, size
from kqi_hub.cli.data_options import sending_options, sending_with_bar
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import say, show_json
from kqi_hub.cli.preprocessing_options import id_argument
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.outside_runs import Results
from kqi_hub.sdk.run_models import PreprocessingRun

F = TypeVar("F", bound=Callable[..., Any])
_OPENED: Final = "opened"
_OPTIONS: Final = (
    click.option(
        "--data", "-d", "-did", "item", type=click.IntRange(1), required=True,
        help="Number of the data item that it was run on.",
    ),
    click.option(
        "--source", "-s", required=True,
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="The folder with the results: each folder in it becomes data.",
    ),
    click.option("--memo", "-m", default="", help="A note, on run and new data."),
    click.option(
        "--tag", "-t", "tags", multiple=True, help="A tag of the new data; repeat."
    ),
)  # fmt: skip


class NotOpen(PortalError):
    """There is no run that takes results from elsewhere, or it is complete."""

    exit_code = 5


def _options(command: F) -> F:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("build-history")
@id_argument
@_options
@sending_options
@json_option
def build_history(preprocessing_id: int, item: int, **said: Any) -> None:
    """Record that it was run on a data item elsewhere, and upload what came of it.

    Interrupted, the same command goes on: what was sent is not sent again.
    """
    folders = _folders(said.pop("source"))
    with Client.from_config() as portal:
        run = _run(portal, preprocessing_id, item)
        if run is None:
            memo = said["memo"]
            run = portal.open_outside_run(preprocessing_id, item, memo=memo)
            say(f"Opened run {run.id} of preprocessing {preprocessing_id}.")
        _fill(portal, run, folders, **said)


@click.command("build-history-files")
@id_argument
@_options
@click.option(
    "--leave-open", is_flag=True, help="More will follow: do not complete the run."
)
@sending_options
@json_option
def build_history_files(preprocessing_id: int, item: int, **said: Any) -> None:
    """Upload results into a run that is open for them, then complete it."""
    folders = _folders(said.pop("source"))
    with Client.from_config() as portal:
        run = _run(portal, preprocessing_id, item)
        if run is None:
            raise NotOpen(
                f"No run of preprocessing {preprocessing_id} on data {item} is open.",
                f"Open one: kqi preprocessing build-history {preprocessing_id} "
                f"--data {item} --source FOLDER",
            )
        _fill(portal, run, folders, **said)


def _fill(  # noqa: PLR0913 - each is an option of the commands
    portal: Client,
    run: PreprocessingRun,
    folders: Sequence[Path],
    *,
    memo: str,
    tags: tuple[str, ...],
    connections: int,
    patience: int,
    as_json: bool,
    leave_open: bool = False,
) -> None:
    if run.state != _OPENED or not run.is_own:
        raise NotOpen(
            f"Preprocessing {run.preprocessing} has been run on data {run.data}: run "
            f"{run.id} of {run.owner} is {run.state}.",
            "It runs once on each item. Delete that run to repeat it.",
        )
    made = []
    with _told_how_to_go_on(run):
        for folder in folders:
            with sending_with_bar(connections, patience) as sending:
                found = portal.send_results(
                    run.id, folder, memo=memo, tags=tags, sending=sending, begun=_tell
                )
            made.append(found)
        if not leave_open:
            run = portal.complete_outside_run(run.id)
    if as_json:
        show_json({"run": run.id, "state": run.state, "data": [o.id for o in made]})
        return
    for one in made:
        say(f"Data {one.id}, {one.name}: {files(one.files)}, {size(one.bytes)}.")
    say(f"Run {run.id} is {run.state}.")


def _tell(found: Results) -> None:
    if found.upload is None:
        say(f"{found.data.name}: it is there already.")
        return
    amount = f"{files(found.upload.files)}, {size(found.upload.bytes)}"
    say(f"{found.data.name}: {amount}")


@contextmanager
def _told_how_to_go_on(run: PreprocessingRun) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, PortalError) as error:
        say(
            f"Run {run.id} is still open, and what was sent is kept. The same command "
            "goes on."
        )
        if isinstance(error, KeyboardInterrupt):
            raise click.exceptions.Exit(130) from None
        raise


def _folders(source: Path) -> list[Path]:
    """Return the folders of results, by name; what lies beside them is said."""
    found = sorted(source.iterdir())
    folders = [one for one in found if one.is_dir() and not one.is_symlink()]
    if not folders:
        raise click.UsageError(
            f"There is no folder in {click.format_filename(source)}: each folder in "
            "it becomes data."
        )
    for one in found:
        if one not in folders:
            name = click.format_filename(one.name)
            say(f"{name} is left out: only folders become data.")
    return folders


def _run(portal: Client, preprocessing_id: int, item: int) -> PreprocessingRun | None:
    portal.preprocessing(preprocessing_id)
    found = portal.preprocessing_runs(1, preprocessing=preprocessing_id, data=item)
    return next(found, None)


OUTSIDE: Final = (build_history, build_history_files)
