"""The demo's conda packages and the site folder made of them, kept in the checkout."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kqi_hub.devstack import layout

_COMMAND: Final = (sys.executable, "-m", "kqi_hub.devstack.channel")


@dataclass(frozen=True, slots=True)
class Environments:
    """The folder that all demos and tests of a checkout share. Only read it."""

    folder: Path

    @property
    def wheels(self) -> Path:
        """Return what was fetched from the package index."""
        return self.folder / "wheels"

    @property
    def channel(self) -> Path:
        """Return the conda channel that was made of it."""
        return self.folder / "channel"

    @property
    def site(self) -> Path:
        """Return a site folder that is used where it lies, by tests."""
        return self.folder / "site"

    @property
    def demo_site(self) -> Path:
        """Return the one that is at /opt/kqi-environments in the demo."""
        return self.folder / "demo"

    @property
    def stamp(self) -> Path:
        """Return the file that says of what all of it was made."""
        return self.folder / "made-of"


def of_checkout() -> Environments:
    """Return those of this checkout, whether they are made or not."""
    return Environments(layout.checkout() / ".environments")


class CannotPrepare(Exception):
    """The packages could not be made; the message has what the maker said."""


def prepared() -> Environments:
    """Return those of this checkout, made now if they are not up to date.

    The first time takes about a minute and 200 MB from the package index.
    """
    done = subprocess.run(
        _COMMAND, cwd=layout.checkout(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CannotPrepare(done.stderr)
    return of_checkout()
