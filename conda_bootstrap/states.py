"""In what state an environment is, as its files show it, and why it is broken."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conda_bootstrap.kernels import Kernel, Why, visible_problem
from conda_bootstrap.marker import Marker
from conda_bootstrap.packages import python_version


def state(marker: Marker | None, path: Path, why: Why | None) -> str:
    """Return the word for an environment that is there."""
    if why:
        return "broken"
    return "ready" if marker and not path.is_symlink() else "foreign"


def problem(
    path: Path,
    stems: tuple[str, ...],
    found: list[Kernel],
    verified: dict[str, Any],
) -> Why | None:
    """Return why an environment is broken; nothing is started and little is read."""
    if path.is_symlink() and not path.exists():
        target = path.readlink()
        return Why("dangling", f"It is a link to {target}, which does not exist.")
    try:
        empty = [*_empty_records(path)]
    except FileNotFoundError:
        empty = []
    except OSError as error:
        return Why("unreadable", f"{path} cannot be read: {error.strerror}.")
    if not stems:
        return Why(
            "no_packages",
            "It holds no record of a conda package (conda-meta): it was not made to "
            "the end, or was removed in part.",
        )
    if empty:
        return Why("records", f"The record of a package is empty: {empty[0]}.")
    has_python = python_version(stems) is not None
    return visible_problem(path, found, has_python) or _seen_problem(path, verified)


def packages_print(path: Path) -> str:
    """Return what is another text when packages have been put in or taken out.

    Bytecode that is written while something runs does not count.
    """
    told = []
    for pattern in ("conda-meta", "lib/python3*/site-packages/*.dist-info"):
        for place in sorted(path.glob(pattern)):
            with contextlib.suppress(OSError):
                told.append((place.name, place.stat().st_mtime_ns))
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _seen_problem(path: Path, verified: dict[str, Any]) -> Why | None:
    """Return what the last verification found, unless packages changed since then."""
    why = verified.get("why")
    if not isinstance(why, dict):
        return None
    if verified.get("packages_print") != packages_print(path):
        return None
    return Why(str(why.get("code")), str(why.get("text")))


def _empty_records(path: Path) -> Iterator[str]:
    with os.scandir(path / "conda-meta") as entries:
        for one in entries:
            if one.name.endswith(".json") and one.stat().st_size == 0:
                yield one.name
