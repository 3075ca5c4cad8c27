"""All environments of a person in one list, in the state that they are in."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from conda_bootstrap import sizes
from conda_bootstrap.json_files import read_object, read_text
from conda_bootstrap.kernels import kernels
from conda_bootstrap.locks import is_locked
from conda_bootstrap.marker import Marker, read_marker
from conda_bootstrap.packages import distributions, python_version, record_stems
from conda_bootstrap.places import Places, is_listed
from conda_bootstrap.room import room as room
from conda_bootstrap.site_bases import Site
from conda_bootstrap.stages import names_under_way, olds
from conda_bootstrap.states import problem, state
from conda_bootstrap.task_files import tasks_under_way

_INTERRUPTED: Final = {
    "state": "broken",
    "why": {
        "code": "interrupted",
        "text": "A reset was interrupted. The old environment is kept and comes back.",
    },
    "old_kept": True,
}


def environments(
    places: Places, site: Site | None, count_sizes: bool = False
) -> list[dict[str, Any]]:
    """Return every environment, also broken and foreign ones and those being made."""
    offered = _offered(site)
    tasks = tasks_under_way(places)
    default = default_name(places)
    found = []
    for name in names_of(places):
        one = _environment(places, name, offered)
        if count_sizes and Path(one["path"]).is_dir():
            one["size"] = sizes.counted(places, name)
        one["is_default"] = name == default
        one["task"] = tasks.get(name)
        found.append(one)
    known = {one["name"] for one in found}
    for name in sorted({*names_under_way(places), *tasks} - known):
        if name in tasks or is_locked(places, name):
            found.append(_blank(name, places.envs / name) | {"task": tasks.get(name)})
        elif olds(places, name):
            found.append(_blank(name, places.envs / name) | _INTERRUPTED)
    return found


def default_name(places: Places) -> str | None:
    """Return the environment that notebooks begin with."""
    try:
        return read_text(places.default, 1000).strip() or None
    except (OSError, ValueError):
        return None


def _environment(places: Places, name: str, offered: dict[str, str]) -> dict[str, Any]:
    path = places.envs / name
    stems = record_stems(path)
    found = kernels(path)
    marker = read_marker(path)
    verified = read_object(places.note("verified", name))
    why = problem(path, stems, found, verified)
    newest = offered.get(marker.base or "") if marker else None
    return _blank(name, path) | {
        "state": state(marker, path, why),
        "why": {"code": why.code, "text": why.text} if why else None,
        "base": marker.base if marker else None,
        "lock_sha256": marker.lock_sha256 if marker else None,
        "outdated": bool(marker and newest and newest != marker.lock_sha256),
        "made_at": _made_at(marker, path),
        "used_at": _time_of(places.used(name)),
        "python": python_version(stems),
        "packages": len(stems) + len(distributions(path)),
        "kernels": [{"name": one.name, "title": one.title} for one in found],
        "size": sizes.known(places, name),
        "has_saved_packages": _has_saved(places, name),
        "old_kept": bool(olds(places, name)),
    }


def _blank(name: str, path: Path) -> dict[str, Any]:
    return {
        "name": name,
        "path": str(path),
        "state": "making",
        "why": None,
        "base": None,
        "lock_sha256": None,
        "outdated": False,
        "made_at": None,
        "used_at": None,
        "python": None,
        "packages": 0,
        "kernels": [],
        "size": None,
        "is_default": False,
        "has_saved_packages": False,
        "old_kept": False,
        "task": None,
    }


def names_of(places: Places) -> list[str]:
    """Return the names of all environments, whoever made them."""
    try:
        entries = sorted(places.envs.iterdir())
    except OSError:
        return []
    return [
        one.name
        for one in entries
        if is_listed(one.name) and (one.is_symlink() or one.is_dir())
    ]


def _offered(site: Site | None) -> dict[str, str]:
    if site is None:
        return {}
    found = {}
    for name in site.names:
        facts = read_object(site.folder / "bases" / name / "current" / "base.json")
        found[name] = str(facts.get("lock_sha256") or "")
    return found


def _has_saved(places: Places, name: str) -> bool:
    return any(places.saved(name).glob("*.json"))


def _made_at(marker: Marker | None, path: Path) -> str | None:
    return marker.made_at if marker else _time_of(path / "conda-meta" / "history")


def _time_of(path: Path) -> str | None:
    try:
        seconds = path.stat().st_mtime
    except OSError:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
