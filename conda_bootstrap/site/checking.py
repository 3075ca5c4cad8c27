"""Look whether what is published is whole, and readable by everybody."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from conda_bootstrap.errors import BootstrapError
from conda_bootstrap.site.folder import SiteFolder
from conda_bootstrap.site.index import locks
from conda_bootstrap.site.lock import hash_of, read_lock
from conda_bootstrap.site.mirror import Package
from conda_bootstrap.site.publishing import read_settings
from conda_bootstrap.site.shell_commands import NAMES

_AGAIN = "build the base again: what is damaged is fetched anew"


def check(site: SiteFolder, told: Callable[[int, int], None]) -> list[str]:
    """Return what is wrong, each with what to do; nothing when all is well.

    Every package is read whole, so it takes as long as the disk needs for that.
    """
    return [
        *_settings(site),
        *_bases(site),
        *_packages(site, told),
        *_index(site),
        *_commands(site),
        *_modes(site),
    ]


def _settings(site: SiteFolder) -> Iterator[str]:
    try:
        settings = read_settings(site)
    except BootstrapError as error:
        yield str(error)
        return
    if not settings:
        yield f"{site.settings} is missing: publish the bases"
    for name in settings.get("bases", []):
        if site.current(name) is None:
            yield f"{name} is offered and has no current lock: publish it"


def _bases(site: SiteFolder) -> Iterator[str]:
    for lock in locks(site):
        folder = lock.parent
        sha256 = hash_of(lock)
        if not sha256.startswith(folder.name):
            yield f"{lock} was changed: {_AGAIN}"
        try:
            described = json.loads((folder / "base.json").read_text())["lock_sha256"]
        except (OSError, ValueError, KeyError, TypeError):
            yield f"{folder / 'base.json'} cannot be read: {_AGAIN}"
            continue
        if described != sha256:
            yield f"{folder / 'base.json'} is of another lock: {_AGAIN}"
        for name in ("explicit.txt", "environment.yml"):
            if not (folder / name).is_file():
                yield f"{folder / name} is missing: {_AGAIN}"


def _packages(site: SiteFolder, told: Callable[[int, int], None]) -> Iterator[str]:
    named: dict[Path, Package] = {}
    for lock in locks(site):
        try:
            records = read_lock(lock)
        except BootstrapError as error:
            yield str(error)
            continue
        for record in records:
            name = Path(unquote(urlsplit(record.url).path)).name
            path = site.channel / record.subdir / name
            sha256 = (record.sha256 or b"").hex()
            named[path] = Package(record.url, path, sha256, record.size or 0)
    total = sum(package.size for package in named.values())
    done = 0
    for path, package in sorted(named.items()):
        done += package.size
        told(done, total)
        if not path.is_file():
            yield f"{path} is missing: {_AGAIN}"
        elif not package.is_here():
            yield f"{path} is damaged: {_AGAIN}"


def _index(site: SiteFolder) -> Iterator[str]:
    for subdir in ("noarch", "linux-64"):
        path = site.channel / subdir / "repodata.json"
        try:
            value = json.loads(path.read_text())
            named = {**value["packages"], **value["packages.conda"]}
        except (OSError, ValueError, KeyError, TypeError):
            yield f"{path} cannot be read: publish again"
            continue
        there = {one.name for one in path.parent.iterdir()}
        for name in sorted(set(named) - there):
            yield f"{path} names {name}, which is missing: publish again"


def _commands(site: SiteFolder) -> Iterator[str]:
    for name in NAMES:
        path = site.commands / name
        if not (path.is_file() and path.stat().st_mode & stat.S_IXOTH):
            yield f"{path} is missing or not executable: publish again"


def _modes(site: SiteFolder) -> Iterator[str]:
    """Name what only some can read; what is hidden or unfinished is nobody's."""
    for parent in [site.path.absolute(), *site.path.absolute().parents]:
        if parent.is_dir() and not parent.stat().st_mode & stat.S_IXOTH:
            yield f"{parent} is closed: chmod o+x it, or nobody reaches what is below"
    for folder, folders, files in os.walk(site.path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        names = [*folders, *(name for name in files if not name.startswith("."))]
        for path in (Path(folder) / name for name in names):
            if not path.lstat().st_mode & stat.S_IROTH:
                yield f"{path} is closed: chmod o+rX it"
