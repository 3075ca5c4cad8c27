"""Where a command of `kqi files` looks: a path in one's folder, or an absolute one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import click

from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError

SCRATCH: Final = "scratch"
root_option: Callable[..., Any] = click.option(
    "--root", default=SCRATCH,
    help="Where paths begin: scratch (the default), data:TENANT, or as roots lists.",
)  # fmt: skip


class NoSuchPlace(PortalError):
    """An absolute path that lies below none of the roots."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Where:
    """A root and a path below it."""

    root: str
    path: str

    @property
    def name(self) -> str:
        """Return its last name."""
        return self.path.rpartition("/")[2]

    def below(self, name: str) -> "Where":
        """Return something in it."""
        return Where(self.root, f"{self.path}/{name}" if self.path else name)


def where(portal: Client, root: str, text: str) -> Where:
    """Return the place that somebody typed; absolute paths are looked up."""
    if not text.startswith("/"):
        return Where(root, _plain(text))
    roots = sorted(portal.file_roots(), key=lambda one: -len(one.absolute))
    for one in roots:
        top = one.absolute.rstrip("/")
        if text == top or text.startswith(f"{top}/"):
            return Where(one.root, _plain(text[len(top) :]))
    raise NoSuchPlace(
        f"{text} lies in no folder that is shown here.", "kqi files roots lists them."
    )


def _plain(text: str) -> str:
    return "/".join(one for one in text.split("/") if one not in {"", "."})


def shown(name: str) -> str:
    """Return a name as a terminal may print it."""
    return name if name.isprintable() else ascii(name)[1:-1]
