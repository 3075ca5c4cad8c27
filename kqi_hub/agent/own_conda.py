"""The person's environments as `conda_bootstrap` finds them."""

from pathlib import Path
from typing import Any

from conda_bootstrap import export, inventory, site_bases, sizes
from conda_bootstrap.errors import BootstrapError
from conda_bootstrap.json_files import write_text
from conda_bootstrap.places import Places
from conda_bootstrap.site_bases import Site
from kqi_hub.agent.conda import CondaRefuses


class OwnConda:
    """Ask it in this process: it reads what the person may read."""

    def __init__(self, scratch: Path, site: Path) -> None:
        self._places = Places(scratch)
        self._site = site

    def environments(self) -> list[dict[str, Any]]:
        """Return every environment, also where the site offers nothing (yet)."""
        try:
            site: Site | None = self._offered()
        except CondaRefuses:
            site = None
        return inventory.environments(self._places, site)

    def room(self) -> dict[str, Any]:
        """Return what is free on scratch."""
        return inventory.room(self._places)

    def bases(self) -> list[dict[str, Any]]:
        """Return what the site offers to begin from."""
        return site_bases.bases(self._offered())

    def export(self, name: str, form: str) -> str:
        """Return an environment as a text."""
        try:
            return export.text(self._places, name, form)
        except BootstrapError as error:
            raise CondaRefuses(error.code, error.message, error.hint) from error

    def set_default(self, name: str) -> None:
        """Make one the default."""
        self._places.own.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_text(self._places.default, f"{name}\n")

    def count(self, name: str) -> None:
        """Count the size of one, however long that takes."""
        sizes.counted(self._places, name)

    def _offered(self) -> Site:
        try:
            return site_bases.find_site(str(self._site))
        except BootstrapError as error:
            raise CondaRefuses(error.code, error.message, error.hint) from error
