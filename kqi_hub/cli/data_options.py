"""Options of data and datasets, and how they are sent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from kqi_hub.cli import upload_memory
from kqi_hub.cli.amounts import files, size
from kqi_hub.cli.output import moment, say
from kqi_hub.cli.progress import bar
from kqi_hub.sdk import config as configuration
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.uploader import CONNECTIONS, PATIENCE_S
from kqi_hub.sdk.uploads import Sending, Upload

F = TypeVar("F", bound=Callable[..., Any])
MOST_LISTED: Final = 10_000
COUNT: Final = 1000
sources_option = click.option(
    "--file", "-f", "sources", multiple=True, required=True, type=click.Path(),
    help="A file or folder; repeat. A folder keeps its name, with a slash at its end "
    "only what is in it is taken.",
)  # fmt: skip
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
tenant_option = click.option(
    "--tenant", help="Only this tenant's; the one in use if unsaid, `-` for all."
)
json_file = click.option(
    "--file", "-f", "file", type=click.File(encoding="utf-8"), required=True,
    help="A JSON file; - is stdin.",
)  # fmt: skip
destination_option = click.option(
    "--destination", "-d", required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to; made if it is not there.",
)  # fmt: skip
count_option = click.option(
    "--count", type=click.IntRange(1, MOST_LISTED), default=COUNT,
    help=f"How many at most, defaults to {COUNT}.",
)  # fmt: skip
# In the order of the help.
_OF_MADE: Final = (
    count_option,
    click.option("--id", help="Number: 7, >=7, <100."),
    click.option("--name", help="Part of the name; !x: without."),
    click.option("--memo", help="Part of the memo; !x: without."),
    click.option("--created-at", help="Day: 2026-11-21, >=2026-11."),
)
_SENDING: Final = (
    click.option(
        "--connections", type=click.IntRange(1, 16), default=CONNECTIONS,
        help=f"How many connections at once, defaults to {CONNECTIONS}.",
    ),
    click.option(
        "--patience", type=click.IntRange(1), default=int(PATIENCE_S),
        help=f"Seconds to try again while nothing moves, defaults to {PATIENCE_S:.0f}.",
    ),
)  # fmt: skip


def made_options(command: F) -> F:
    """Give a list what things that somebody made are found by."""
    for option in reversed(_OF_MADE):
        command = option(command)
    return command


def sending_options(command: F) -> F:
    """Give a command the options of how to send."""
    for option in reversed(_SENDING):
        command = option(command)
    return command


def tenant_filter(asked: str | None) -> str | None:
    """Return the tenant that a list is asked of; None: all of one's own."""
    if asked == "-":
        return None
    return asked or configuration.load().tenant or None


class Guarded:
    """An upload under way: whatever interrupts it, how to go on is said."""

    def __init__(self, sources: tuple[str, ...], what: str) -> None:
        self._sources, self._what = sources, what
        self.upload: Upload | None = None

    def begun(self, upload: Upload) -> None:
        """Remember it before anything is sent."""
        self.upload = upload
        upload_memory.remember(upload.key, self._sources, self._what)
        amount = f"{files(upload.files)}, {size(upload.bytes)}"
        say(f"{self._what}: {amount} (upload {upload.key})")


@contextmanager
def guarded(sources: tuple[str, ...], what: str) -> Iterator[Guarded]:
    """Say how to go on when an upload is interrupted; forget it when it is done."""
    guard = Guarded(sources, what)
    try:
        yield guard
    except (KeyboardInterrupt, PortalError) as error:
        if guard.upload is not None:
            until = moment(int(guard.upload.expires_at), "later")
            say(f"What was sent is kept until {until} and shows nowhere.")
            say(f"Go on: kqi data resume {guard.upload.key}")
        if isinstance(error, KeyboardInterrupt):
            raise click.exceptions.Exit(130) from None
        raise
    if guard.upload is not None:
        upload_memory.forget(guard.upload.key)


@contextmanager
def sending_with_bar(connections: int, patience: int) -> Iterator[Sending]:
    """Give how to send, with a bar where somebody looks."""
    with bar("Sending") as tell:
        yield Sending(connections, patience, tell)
