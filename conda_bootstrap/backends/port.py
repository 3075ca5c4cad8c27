"""What is asked of a program that installs packages."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast

from conda_bootstrap.errors import BootstrapError
from conda_bootstrap.packages import Package
from conda_bootstrap.places import Places
from conda_bootstrap.reporting import Report
from conda_bootstrap.site_bases import Site
from conda_bootstrap.sources import Source

_MODULES: Final = {
    "rattler": "conda_bootstrap.backends.rattler",
    "conda": "conda_bootstrap.backends.conda_cli",
    "mamba": "conda_bootstrap.backends.conda_cli",
    "micromamba": "conda_bootstrap.backends.conda_cli",
}


@dataclass(frozen=True, slots=True)
class Resolution:
    """The packages that will be installed, all of them known."""

    packages: tuple[Package, ...]
    source: Source
    records: Sequence[Any] = ()
    lock_text: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """Where an environment is built, and the path that it will have.

    Careful is to look into the package cache before files are linked from it: whoever
    edits a file of an environment edits the cache, which it is linked to.
    """

    places: Places
    stage: Path
    final: Path
    careful: bool = False


class Backend(Protocol):
    """Resolve and install; both run as the person and may take minutes."""

    name: str

    def resolve(self, source: Source, places: Places) -> Resolution:
        """Find out what will be installed; nothing is touched but caches."""

    def resolve_more(
        self, prefix: Path, specs: Sequence[str], places: Places
    ) -> tuple[Resolution, list[str]]:
        """Find out what an environment with more packages holds, and what is lacking.

        What is there already stays as it is where that is possible.
        """

    def install(self, found: Resolution, work: Work, report: Report) -> None:
        """Fill a stage so that it works once it has been renamed to its final path."""


def find_backend(site: Site) -> Backend:
    """Return the site's back-end, ready to work."""
    try:
        module = importlib.import_module(_MODULES[site.backend])
    except ImportError as error:
        raise BootstrapError(
            "backend",
            f"The installer {site.backend} is missing in this Python: {error}.",
            "Tell the operators of this site: the session environment lacks it.",
        ) from error
    return cast("Backend", module.make(site))
