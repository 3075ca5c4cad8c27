"""Build a base: solve, fetch, lock, describe. Nothing is offered to people by it."""

import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from rattler import PathsJson, RepoDataRecord

from conda_bootstrap.errors import WrongUse
from conda_bootstrap.site.about import About, read_about
from conda_bootstrap.site.environment_file import (
    EnvironmentFile,
    read_environment_file,
)
from conda_bootstrap.site.folder import (
    SiteFolder,
    check_base_name,
    make_folder,
    write_whole,
)
from conda_bootstrap.site.index import write_index
from conda_bootstrap.site.lock import explicit_list, to_mirror, write_lock
from conda_bootstrap.site.mirror import Package, mirror, packages_of
from conda_bootstrap.site.solving import PLATFORM, solve_packages


class Listener(Protocol):
    """Who hears of the progress."""

    def say(self, text: str) -> None:
        """Hear one line."""

    def count(self, done: int, total: int) -> None:
        """Hear how far the packages are, in bytes."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a base is to be built of, and where people will find its packages."""

    name: str
    file: Path
    channels: tuple[str, ...] = ()
    channel_url: str | None = None
    machine: Mapping[str, str] = field(default_factory=dict)
    link: bool = False
    cache: Path | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """A built base: its folder, and whether there was none of the same before."""

    folder: Path
    is_new: bool
    packages: int


@dataclass(frozen=True, slots=True)
class _Found:
    """What the solver found for an order."""

    order: Order
    asked: EnvironmentFile
    about: About
    channels: tuple[str, ...]
    records: Sequence[RepoDataRecord]
    packages: Sequence[Package]


def build(site: SiteFolder, order: Order, listener: Listener) -> Built:
    """Build a base from its environment file; the same packages make the same lock."""
    check_base_name(order.name)
    asked = read_environment_file(order.file)
    about = read_about(order.file.with_suffix(".toml"))
    channels = order.channels or asked.channels
    if not channels:
        raise WrongUse(
            "channel",
            f"Neither {order.file} nor the command names a channel.",
            "Name one: --channel URL.",
        )
    with site.alone(lambda: listener.say("Waiting: somebody else writes there.")):
        listener.say(f"{order.name}: solving with {', '.join(channels)}")
        machine = {**about.machine, **order.machine}
        records = solve_packages(asked.specs, channels, machine, order.cache)
        packages = packages_of(site, records)
        listener.say(f"{order.name}: packages: {len(records)}")
        mirror(packages, listener.count, link=order.link)
        return _keep(site, _Found(order, asked, about, channels, records, packages))


def _keep(site: SiteFolder, found: _Found) -> Built:
    """Give the lock a folder that is named by its hash, in one step."""
    own = make_folder(site.bases / found.order.name)
    unfinished = make_folder(own / f".unfinished-{secrets.token_hex(4)}")
    try:
        url = found.order.channel_url or site.channel.absolute().as_uri()
        to_mirror(found.records, url)
        sha256 = write_lock(found.records, url, unfinished / "lock")
        (unfinished / "lock").chmod(0o644)
        write_whole(unfinished / "explicit.txt", explicit_list(found.records))
        write_whole(unfinished / "environment.yml", found.asked.text)
        described = json.dumps(_describe(found, sha256), indent=1, ensure_ascii=False)
        write_whole(unfinished / "base.json", described + "\n")
        folder = own / sha256[:12]
        is_new = not folder.exists()
        if is_new:
            unfinished.rename(folder)
            write_index(site)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Built(folder, is_new, len(found.records))


def _describe(found: _Found, sha256: str) -> dict[str, Any]:
    paths = [
        entry
        for package in found.packages
        for entry in PathsJson.from_package_archive(package.path).paths
    ]
    python = [str(one.version) for one in found.records if one.name.source == "python"]
    return {
        "name": found.order.name,
        "title": found.about.title or found.order.name,
        "about": found.about.about,
        "python": python[0] if python else None,
        "packages": len(found.records),
        "download_bytes": sum(package.size for package in found.packages),
        "installed_bytes": sum(entry.size_in_bytes or 0 for entry in paths),
        # Each package leaves a record of itself as well.
        "installed_files": len(paths) + len(found.records),
        "lock_sha256": sha256,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "platform": PLATFORM,
        "channels": list(found.channels),
    }
