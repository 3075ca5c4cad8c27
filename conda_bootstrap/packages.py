"""What is installed in an environment, read from its files and not by running it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from conda_bootstrap.json_files import read_object, read_text

_ARCHIVE: Final = re.compile(r"\.(conda|tar\.bz2)$")
_DIST_INFO: Final = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)\.dist-info")
_LONGEST: Final = 64 << 20
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]{1,20}:[!-~]{1,400}")
# Something else than the index, which is not known: pip finds nothing there.
_NOWHERE: Final = "file:///not-known"


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
    """One Python distribution; its origin is a URL, empty where an index had it."""

    name: str
    version: str
    origin: str = ""

    @property
    def spec(self) -> str:
        """Return what pip is told to get the same again, from where it came.

        A package of one's own may have a name that somebody else has at the index.
        """
        if self.origin:
            return f"{self.name} @ {self.origin}"
        return f"{self.name}=={self.version}"


def spec_name(spec: str) -> str:
    """Return the name in what pip is told."""
    return spec.replace(" @ ", "==").partition("==")[0].lower()


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
    found = (
        one if _is_of_conda(folder) else replace(one, origin=_origin(folder))
        for one, folder in _dist_infos(prefix)
    )
    return tuple(sorted(found, key=lambda one: one.name.lower()))


def added_distributions(prefix: Path) -> Iterator[tuple[Distribution, Path]]:
    """Yield what no conda package brought, with the folder that describes it."""
    for one, folder in _dist_infos(prefix):
        if not _is_of_conda(folder):
            yield replace(one, origin=_origin(folder)), folder


def _is_of_conda(dist_info: Path) -> bool:
    try:
        return read_text(dist_info / "INSTALLER", 1000).strip() == "conda"
    except (OSError, ValueError):
        return False


def _origin(dist_info: Path) -> str:
    """Return where pip was told to get a distribution, as its notes say."""
    file = dist_info / "direct_url.json"
    if not file.exists():
        return ""
    told = read_object(file)
    url, vcs = told.get("url"), told.get("vcs_info")
    if not isinstance(url, str) or not _URL.fullmatch(url):
        return _NOWHERE
    if isinstance(vcs, dict):
        return f"{vcs.get('vcs')}+{url}@{vcs.get('commit_id')}"
    return url


def _dist_infos(prefix: Path) -> Iterator[tuple[Distribution, Path]]:
    place = site_packages(prefix)
    for folder in sorted(place.glob("*.dist-info")) if place else ():
        if match := _DIST_INFO.fullmatch(folder.name):
            name = match["name"].replace("_", "-")
            yield Distribution(name, match["version"]), folder
