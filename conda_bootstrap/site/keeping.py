"""List what is there, and remove the locks and packages that nobody needs any more."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conda_bootstrap.site.folder import SiteFolder
from conda_bootstrap.site.index import write_index
from conda_bootstrap.site.making import Listener


@dataclass(frozen=True, slots=True)
class Removed:
    """What went away."""

    locks: int
    packages: int
    size: int


def overview(site: SiteFolder) -> list[dict[str, Any]]:
    """Return one entry for each lock: what its base.json says, and whether current."""
    found = []
    for name in site.base_names():
        current = site.current(name)
        for version in site.versions(name):
            try:
                known = json.loads((version / "base.json").read_text())
            except (OSError, ValueError):
                known = {"name": name, "damaged": True}
            is_current = current == version.resolve()
            found.append({**known, "lock": version.name, "current": is_current})
    return found


def remove_old(site: SiteFolder, keep: int, listener: Listener) -> Removed:
    """Remove all but the current lock and the `keep` newest others of each base.

    People whose environment is of a removed lock keep it; they cannot be given it
    anew, a reset gives them the current one.
    """
    with site.alone(lambda: listener.say("Waiting: somebody else writes there.")):
        gone = [lock for name in site.base_names() for lock in _old(site, name, keep)]
        for folder in gone:
            shutil.rmtree(folder)
        named = write_index(site)
        packages = [
            path
            for path in site.channel.glob("*/*")
            if path.name != "repodata.json" and _key(path) not in named
        ]
        size = sum(path.stat().st_size for path in packages)
        for path in packages:
            path.unlink()
        return Removed(len(gone), len(packages), size)


def _old(site: SiteFolder, name: str, keep: int) -> list[Path]:
    current = site.current(name)
    others = [one for one in site.versions(name) if one.resolve() != current]
    unfinished = [*(site.bases / name).glob(".unfinished-*")]
    return others[keep:] + unfinished


def _key(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
