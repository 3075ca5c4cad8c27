"""All environments of a person in one list, in the state that they are in."""

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conda_bootstrap import sizes
from conda_bootstrap.json_files import read_object, read_text
from conda_bootstrap.kernels import Kernel, Why, kernels, visible_problem
from conda_bootstrap.locks import is_locked
from conda_bootstrap.marker import Marker, read_marker
from conda_bootstrap.packages import distributions, python_version, record_stems
from conda_bootstrap.places import Places
from conda_bootstrap.room import room as room
from conda_bootstrap.site_bases import Site
from conda_bootstrap.stages import names_under_way, olds
from conda_bootstrap.task_files import tasks_under_way


def environments(
    places: Places, site: Site | None, count_sizes: bool = False
) -> list[dict[str, Any]]:
    """Return every environment, also broken and foreign ones and those being made."""
    offered = _offered(site)
    tasks = tasks_under_way(places)
    default = default_name(places)
    found = []
    for name in _names(places):
        one = _environment(places, name, offered)
        if count_sizes and Path(one["path"]).is_dir():
            one["size"] = sizes.counted(places, name)
        one["is_default"] = name == default
        one["task"] = tasks.get(name)
        found.append(one)
    known = {one["name"] for one in found}
    making = {*names_under_way(places), *tasks} - known
    found += [
        _making(places, name) | {"task": tasks.get(name)}
        for name in sorted(making)
        if name in tasks or is_locked(places, name)
    ]
    return found


def default_name(places: Places) -> str | None:
    """Return the environment that notebooks begin with."""
    try:
        return read_text(places.default, 1000).strip() or None
    except (OSError, ValueError):
        return None


def state(path: Path, verified: dict[str, Any]) -> tuple[str, Why | None]:
    """Return the state of an environment and, where it is broken, why."""
    stems = record_stems(path)
    return _state(path, stems, kernels(path), verified)


def _environment(places: Places, name: str, offered: dict[str, str]) -> dict[str, Any]:
    path = places.envs / name
    stems = record_stems(path)
    found = kernels(path)
    marker = read_marker(path)
    verified = read_object(places.note("verified", name))
    word, why = _state(path, stems, found, verified)
    newest = offered.get(marker.base or "") if marker else None
    return _blank(name, path) | {
        "state": word,
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


def _making(places: Places, name: str) -> dict[str, Any]:
    return _blank(name, places.envs / name)


def _state(
    path: Path,
    stems: tuple[str, ...],
    found: list[Kernel],
    verified: dict[str, Any],
) -> tuple[str, Why | None]:
    if why := _problem(path, stems, found, verified):
        return "broken", why
    marker = read_marker(path)
    return ("ready" if marker and not path.is_symlink() else "foreign"), None


def _problem(
    path: Path,
    stems: tuple[str, ...],
    found: list[Kernel],
    verified: dict[str, Any],
) -> Why | None:
    if path.is_symlink() and not path.exists():
        target = path.readlink()
        return Why("dangling", f"It is a link to {target}, which does not exist.")
    try:
        os.listdir(path)  # noqa: PTH208 - only whether it may be read
    except OSError as error:
        return Why("unreadable", f"{path} cannot be read: {error.strerror}.")
    if not stems:
        return Why(
            "no_packages",
            "It holds no record of a conda package (conda-meta): it was not made to "
            "the end, or was removed in part.",
        )
    if empty := [*_empty_records(path)]:
        return Why("records", f"The record of a package is empty: {empty[0]}.")
    has_python = python_version(stems) is not None
    return visible_problem(path, found, has_python) or _seen_problem(path, verified)


def _seen_problem(path: Path, verified: dict[str, Any]) -> Why | None:
    """Return what the last verification found, unless packages changed since then."""
    why = verified.get("why")
    if not isinstance(why, dict) or verified.get("changed_at") != changed_at(path):
        return None
    return Why(str(why.get("code")), str(why.get("text")))


def changed_at(path: Path) -> float:
    """Return when packages were last put into or taken out of an environment."""
    places = [path / "conda-meta", *path.glob("lib/python3*/site-packages")]
    times = [0.0]
    for place in places:
        with contextlib.suppress(OSError):
            times.append(place.stat().st_mtime)
    return max(times)


def _empty_records(path: Path) -> list[str]:
    with contextlib.suppress(OSError), os.scandir(path / "conda-meta") as entries:
        return [
            one.name
            for one in entries
            if one.name.endswith(".json") and one.stat().st_size == 0
        ]
    return []


def _names(places: Places) -> list[str]:
    try:
        entries = sorted(places.envs.iterdir())
    except OSError:
        return []
    return [
        one.name
        for one in entries
        if not one.name.startswith(".")
        and one.name.isprintable()
        and (one.is_dir() or one.is_symlink())
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
