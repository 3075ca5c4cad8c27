"""Files from and to this machine: `kqi files get`, `kqi files put`."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from kqi_hub.cli.amounts import files as counted, size
from kqi_hub.cli.file_places import Where, root_option, shown, where
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import say, show_json
from kqi_hub.cli.progress import bar
from kqi_hub.sdk import local_files
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.tar_stream import Unpacked
from kqi_hub.sdk.upload_progress import Meter, Tell

_TELL_EVERY_S: Final = 0.2
_EXISTS: Final = ("refuse", "overwrite", "keep-both")


class IsThere(PortalError):
    """Something here has that name; nothing was fetched."""

    exit_code = 5


@click.command("get")
@click.argument("paths", nargs=-1, required=True)
@root_option
@click.option(
    "--destination", "-d", default=".", help="Folder here, defaults to this one.",
    type=click.Path(file_okay=False, path_type=Path),
)  # fmt: skip
@click.option(
    "--archive", help="Make one file of all: NAME.zip or NAME.tar.",
    type=click.Path(dir_okay=False, path_type=Path),
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace what is here.")
@json_option
def fetch(
    paths: tuple[str, ...],
    root: str,
    destination: Path,
    archive: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Copy files and folders of the cluster to this machine.

    A file that broke off goes on where it was; a folder begins anew.
    """
    with Client.from_config() as portal:
        places = [where(portal, root, one) for one in paths]
        if archive is None:
            fetch_all(portal, places, destination, overwrite, as_json)
            return
        _require_free(archive, overwrite)
        done = _fetch_archive(portal, places, archive)
    _tell(done, as_json)


def fetch_all(
    portal: Client,
    places: list[Where],
    destination: Path,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Copy files and folders below a folder here, and tell how much that was."""
    done = Unpacked()
    for place in places:
        _fetch_one(portal, place, destination, overwrite, done)
    _tell(done, as_json)


def _tell(done: Unpacked, as_json: bool) -> None:
    if as_json:
        show_json({"files": done.files, "bytes": done.bytes, "skipped": done.skipped})
        return
    for name in done.skipped:
        say(f"{shown(name)} is a link and was left out.")
    say(f"Fetched {counted(done.files)}, {size(done.bytes)}.")


@click.command("put")
@click.argument("sources", nargs=-1, required=True)
@click.argument("target")
@root_option
@click.option(
    "--exists", type=click.Choice(_EXISTS), default="refuse",
    help="What becomes of files there: refuse (the default), overwrite, keep-both.",
)  # fmt: skip
@json_option
def send(
    sources: tuple[str, ...], target: str, root: str, exists: str, as_json: bool
) -> None:
    """Copy files and folders of this machine into a folder: SOURCE... FOLDER.

    Missing folders are made. What breaks goes on by itself; begun anew, a large file
    goes on where it was.
    """
    there = local_files.count(sources)
    meter = Meter(there.files, there.bytes)
    made: list[str] = []

    def kept(file: local_files.LocalFile, path: str) -> None:
        meter.kept()
        made.append(path)

    with Client.from_config() as portal:
        place = where(portal, root, target)
        with bar("Sending") as tell, _told(meter, tell):
            portal.put_files(
                sources, place.path, place.root, exists=exists, sent=meter.sent,
                kept=kept,
            )  # fmt: skip
    for name in there.skipped:
        say(f"{shown(name)} is no regular file and was left out.")
    if as_json:
        show_json({"files": len(made), "bytes": there.bytes, "paths": sorted(made)})
        return
    say(f"Sent {counted(there.files)}, {size(there.bytes)}.")


def _fetch_archive(portal: Client, places: list[Where], target: Path) -> Unpacked:
    if len({one.root for one in places}) > 1:
        raise click.UsageError("One archive holds files of one root.")
    done = Unpacked(files=1)
    with bar(target.name) as tell:
        meter = Meter(1, 0)
        with _told(meter, tell):
            paths = [one.path for one in places]
            portal.fetch_archive(paths, target, places[0].root, meter.sent)
    done.bytes = target.stat().st_size
    return done


def _fetch_one(
    portal: Client, place: Where, folder: Path, overwrite: bool, done: Unpacked
) -> None:
    about = portal.file_stat(place.path, place.root)
    name = place.name or "files"
    _require_free(folder / name, overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    if about.kind == "folder":
        whole = portal.file_use(place.path, place.root)
        meter = Meter(whole.files, whole.bytes)
    else:
        meter = Meter(1, about.size)
    with bar(shown(name)) as tell, _told(meter, tell):
        if about.kind == "folder":
            target = folder if place.path else folder / name
            got = portal.fetch_folder(place.path, target, place.root, meter.sent)
            done.files, done.bytes = done.files + got.files, done.bytes + got.bytes
            done.skipped += got.skipped
        else:
            portal.fetch_file(place.path, folder / name, place.root, meter.sent)
            done.files, done.bytes = done.files + 1, done.bytes + about.size


def _require_free(place: Path, overwrite: bool) -> None:
    if not overwrite and (place.exists() or place.is_symlink()):
        raise IsThere(f"{place} is here already.", "Say --overwrite, or where else.")


@contextmanager
def _told(meter: Meter, tell: Tell | None) -> Iterator[None]:
    """Tell a bar how far it is, now and then, until the end."""
    if tell is None:
        yield
        return
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(_TELL_EVERY_S):
            tell(meter.now())

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


TRANSFERS: Final = (fetch, send)
