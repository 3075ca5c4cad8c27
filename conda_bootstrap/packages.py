"""What is installed in an environment, read from its files and not by running it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from conda_bootstrap.json_files import read_text

_ARCHIVE: Final = re.compile(r"\.(conda|tar\.bz2)$")
_DIST_INFO: Final = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)\.dist-info")
_LONGEST: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Package:
    """One conda package, as a file of a channel."""

    name: str
    version: str
    build: str
    url: str = ""
    size: int = 0
    md5: str = ""

    @property
    def file_stem(self) -> str:
        """Return what its record and its folder in the cache are called."""
        return f"{self.name}-{self.version}-{self.build}"


@dataclass(frozen=True, slots=True)
class Distribution:
    """One Python distribution that no conda package brought."""

    name: str
    version: str


def from_url(url: str, size: int = 0, md5: str = "") -> Package:
    """Return the package that a URL names; ValueError when it names none."""
    stem, found = _ARCHIVE.subn("", unquote(urlsplit(url).path).rpartition("/")[2])
    name, version, build = [*stem.rsplit("-", 2), "", ""][:3]
    if not (found and name and version and build):
        raise ValueError(f"{ascii(url)[:200]} does not name a conda package")
    return Package(name, version, build, url, size, md5)


def record_stems(prefix: Path) -> tuple[str, ...]:
    """Return name-version-build of all conda packages: fast, no file is opened."""
    try:
        names = [one.name for one in (prefix / "conda-meta").iterdir()]
    except OSError:
        return ()
    return tuple(sorted(name[:-5] for name in names if name.endswith(".json")))


def python_version(stems: tuple[str, ...]) -> str | None:
    """Return the version of the environment's Python; None when it has none."""
    for stem in stems:
        name, _, rest = stem.partition("-")
        if name == "python" and rest[:1].isdigit() and rest.count("-") == 1:
            return rest.partition("-")[0]
    return None


def records(prefix: Path) -> list[dict[str, Any]]:
    """Return the records of all conda packages; ValueError names a damaged one."""
    found = []
    for stem in record_stems(prefix):
        path = prefix / "conda-meta" / f"{stem}.json"
        try:
            value = json.loads(read_text(path, _LONGEST))
        except (OSError, ValueError, RecursionError) as error:
            raise ValueError(f"{path} cannot be read: {error}") from error
        if not isinstance(value, dict) or not {"name", "version", "build"} <= {*value}:
            raise ValueError(f"{path} does not name a package")
        found.append(value)
    return found


def site_packages(prefix: Path) -> Path | None:
    """Return the folder of the environment's Python packages."""
    found = sorted(prefix.glob("lib/python3*/site-packages"))
    return found[-1] if found else None


def distributions(prefix: Path) -> tuple[Distribution, ...]:
    """Return the Python distributions that pip or the like has put there."""
    found = (one for one, _ in added_distributions(prefix))
    return tuple(sorted(found, key=lambda one: one.name.lower()))


def all_distributions(prefix: Path) -> tuple[Distribution, ...]:
    """Return every Python distribution, whoever installed it."""
    found = (one for one, _ in _dist_infos(prefix))
    return tuple(sorted(found, key=lambda one: one.name.lower()))


def added_distributions(prefix: Path) -> Iterator[tuple[Distribution, Path]]:
    """Yield what no conda package brought, with the folder that describes it."""
    for one, folder in _dist_infos(prefix):
        try:
            installer = read_text(folder / "INSTALLER", 1000).strip()
        except (OSError, ValueError):
            installer = "unknown"
        if installer != "conda":
            yield one, folder


def _dist_infos(prefix: Path) -> Iterator[tuple[Distribution, Path]]:
    place = site_packages(prefix)
    for folder in sorted(place.glob("*.dist-info")) if place else ():
        if match := _DIST_INFO.fullmatch(folder.name):
            name = match["name"].replace("_", "-")
            yield Distribution(name, match["version"]), folder
