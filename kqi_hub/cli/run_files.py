"""Files of trainings and inferences, through one's own agent."""

from collections.abc import Callable
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, Final

import click

from kqi_hub.cli.amounts import files
from kqi_hub.cli.data_options import destination_option
from kqi_hub.cli.file_looks import show_entries
from kqi_hub.cli.file_places import SCRATCH, Where
from kqi_hub.cli.file_transfers import fetch_all
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish
from kqi_hub.cli.run_options import id_argument
from kqi_hub.cli.run_watching import own
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.run_models import Run

Kind = type[Run]
_COUNT: Final = 1000
_of_option: Callable[..., Any] = click.option(
    "--of", "part", type=click.Choice(["output", "attach"]), default="output",
    help="output (the default), or attach: what you have put beside it.",
)  # fmt: skip


@click.command("list-files")
@id_argument
@click.argument("path", default="")
@_of_option
@click.option(
    "--count", type=click.IntRange(1), default=_COUNT,
    help=f"How many at most, defaults to {_COUNT}.",
)  # fmt: skip
@json_option
@click.pass_obj
def list_files(
    kind: Kind, /, run_id: int, path: str, part: str, count: int, as_json: bool
) -> None:
    """List what it has written, while it runs too; PATH is a folder of it."""
    with Client.from_config() as portal:
        place = _place(portal, kind, run_id, part, path)
        found = list(islice(portal.files(place.path, place.root), count + 1))
    show_entries(found, count, as_json, "There is nothing in it.")


@click.command("download-files")
@id_argument
@destination_option
@click.option(
    "--path", "-p", "paths", multiple=True,
    help="A file or folder of it; repeat. Everything if unsaid.",
)  # fmt: skip
@_of_option
@click.option("--overwrite", is_flag=True, help="Replace what is here.")
@json_option
@click.pass_obj
def download_files(
    kind: Kind, /, run_id: int, paths: tuple[str, ...], part: str, **how: Any
) -> None:
    """Fetch what it has written to this machine."""
    with Client.from_config() as portal:
        wanted = paths or ("",)
        places = [_place(portal, kind, run_id, part, one) for one in wanted]
        fetch_all(portal, places, **how)


@click.command("upload-files")
@id_argument
@click.option(
    "--file", "-f", "sources", multiple=True, required=True,
    type=click.Path(exists=True), help="A file or folder here; repeat.",
)  # fmt: skip
@json_option
@click.pass_obj
def upload_files(
    kind: Kind, run_id: int, sources: tuple[str, ...], as_json: bool
) -> None:
    """Put files beside it, as attachments: they are shown with it and go with it."""
    with Client.from_config() as portal:
        place = _place(portal, kind, run_id, "attach", "")
        done = portal.put_files(sources, place.path, place.root)
    finish(f"Sent {files(done)} to {place.path}.", as_json, files=done, path=place.path)


@click.command("delete-file")
@id_argument
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def delete_files(
    kind: Kind, /, run_id: int, names: tuple[str, ...], yes: bool, as_json: bool
) -> None:
    """Delete attachments for good."""
    if not yes:
        click.confirm(f"Delete {', '.join(names)} for good?", abort=True, err=True)
    with Client.from_config() as portal:
        _refuse_its_own(portal.run(kind, run_id), names)
        places = [_place(portal, kind, run_id, "attach", one) for one in names]
        work = portal.delete_files([one.path for one in places], SCRATCH)
    if work.error or work.missed:
        said = work.error or work.misses[0]
        raise PortalError(f"Not all were deleted: {said['message']}")
    told = f"Deleted {len(places)} of {kind.kind} {run_id}."
    finish(told, as_json, id=run_id, deleted=list(names))


def _refuse_its_own(run: Run, names: tuple[str, ...]) -> None:
    """Refuse to delete what the run itself has put there (KX-31, KX-45)."""
    # A script that was submitted once more has another folder: 12.4711 beside 12.
    number = run.folder.rpartition("/")[2].partition(".")[0]
    its_own = f"{run.kind}_output_{number}.zip"
    for name in names:
        if PurePosixPath(name) == PurePosixPath(its_own):
            raise click.UsageError(
                f"{name} is the run's own: its results, packed. It goes with the run."
            )


def _place(portal: Client, kind: Kind, run_id: int, part: str, path: str) -> Where:
    run = own(portal, kind, run_id)
    inside = [one for one in path.split("/") if one not in {"", "."}]
    if ".." in inside:
        raise click.UsageError(f"{path!r} leads out of the {part}.")
    return Where(SCRATCH, "/".join([run.folder, part, *inside]))


FILES: Final = (list_files, download_files, upload_files, delete_files)
