"""What the site offers: the folder that its operators publish, read only."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conda_bootstrap.errors import Refused, WrongUse
from conda_bootstrap.json_files import read_object

DEFAULT: Final = "/opt/kqi-environments"
BACKENDS: Final = ("rattler", "conda", "mamba", "micromamba")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Base:
    """One set of packages that environments begin with."""

    name: str
    folder: Path
    facts: Mapping[str, Any]

    @property
    def lock(self) -> Path:
        """Return the lock file."""
        return self.folder / "lock"

    @property
    def explicit(self) -> Path:
        """Return the list of packages with their checksums."""
        return self.folder / "explicit.txt"

    @property
    def lock_sha256(self) -> str:
        """Return what tells this edition of the base from others."""
        return str(self.facts.get("lock_sha256") or "")

    def number(self, key: str) -> int:
        """Return a figure of the base; 0 when it was not told."""
        value = self.facts.get(key)
        return value if isinstance(value, int) and value > 0 else 0


@dataclass(frozen=True, slots=True)
class Site:
    """The site's folder and its settings."""

    folder: Path
    channels: tuple[str, ...]
    default_base: str
    names: tuple[str, ...]
    backend: str
    backend_path: str | None

    def base(self, name: str | None = None) -> Base:
        """Return a base in its newest edition, or say which there are."""
        wanted = name or self.default_base
        if wanted not in self.names:
            there = ", ".join(self.names) or "none"
            raise WrongUse(
                "base",
                f"This site offers no base {ascii(wanted)[:60]}.",
                f"It offers: {there}.",
            )
        # Resolved once, so that all files are of one edition whatever is published now.
        folder = Path(os.path.realpath(self.folder / "bases" / wanted / "current"))
        facts = read_object(folder / "base.json")
        if not facts:
            raise Refused(
                "base_unreadable",
                f"The base {wanted} cannot be read in {folder}.",
                "Tell the operators of this site.",
            )
        return Base(wanted, folder, facts)


def find_site(given: str | None) -> Site:
    """Read the site's folder, or say how to name it."""
    folder = Path(given or os.environ.get("KQI_ENVIRONMENTS") or DEFAULT).absolute()
    value = read_object(folder / "site.json")
    if value.get("version") != 1:
        raise Refused(
            "site",
            f"There is no description of the site's environments in {folder}.",
            "Name the site's folder: --site DIR, or the variable KQI_ENVIRONMENTS.",
        )
    names = tuple(one for one in _texts(value.get("bases")) if _NAME.fullmatch(one))
    backend = value.get("backend", "rattler")
    if backend not in BACKENDS:
        raise Refused(
            "backend",
            f"{folder}/site.json names an installer that is not known: "
            f"{ascii(backend)[:60]}.",
            f"Known are {', '.join(BACKENDS)}. Tell the operators of this site.",
        )
    path = value.get("backend_path")
    return Site(
        folder=folder,
        channels=_texts(value.get("channels")),
        default_base=str(value.get("default_base") or (names or ("",))[0]),
        names=names,
        backend=backend,
        backend_path=path if isinstance(path, str) and path else None,
    )


def bases(site: Site) -> list[dict[str, Any]]:
    """Return what is offered, as base.json tells it; unreadable ones are left out."""
    found = []
    for name in site.names:
        facts = read_object(site.folder / "bases" / name / "current" / "base.json")
        if facts:
            found.append(facts | {"is_default": name == site.default_base})
    return found


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(one for one in value if isinstance(one, str))
