"""Reset, repair and bring back: a new environment in the place of one that is there."""

from collections.abc import Sequence
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

from conda_bootstrap.backends.port import Backend, Resolution, find_backend
from conda_bootstrap.creating import describe
from conda_bootstrap.entering import entered, judge
from conda_bootstrap.errors import BootstrapError, Refused
from conda_bootstrap.making import Workshop, build, prepare
from conda_bootstrap.marker import read_marker
from conda_bootstrap.remaking import for_repair, for_reset
from conda_bootstrap.replacing import put_back, recover, replace
from conda_bootstrap.room import check_room, need
from conda_bootstrap.saved import newest_with_more, save
from conda_bootstrap.sources import Source
from conda_bootstrap.stages import let_go, remove


def reset(
    shop: Workshop, name: str, source: Source | None, bring: bool
) -> dict[str, Any]:
    """Make an environment anew; the old one goes when the new one has proved itself."""
    with entered(shop, name, "reset") as path:
        backend, found = prepare(shop, source or for_reset(shop, path))
        save(shop.places, name)
        lacking = _renew(shop, name, backend, found)
        if bring:
            lacking += _bring_back(shop, name)
    return describe(shop.places, name) | {"not_had": lacking}


def repair(shop: Workshop, name: str) -> dict[str, Any]:
    """Make an environment anew from its own lock, with what was added to it."""
    with entered(shop, name, "repair") as path:
        backend, found = prepare(shop, for_repair(shop, path))
        save(shop.places, name)
        lacking = _renew(shop, name, backend, found)
        lacking += _bring_back(shop, name)
    return describe(shop.places, name) | {"not_had": lacking}


def bring_back(shop: Workshop, name: str) -> dict[str, Any]:
    """Add the packages of the list that was saved before a reset."""
    with entered(shop, name, "bring-back"):
        if newest_with_more(shop.places, name) is None:
            raise Refused(
                "nothing_saved",
                f"No list is saved of packages that {name} does not have.",
                "Lists are saved by each reset and repair.",
            )
        lacking = _bring_back(shop, name)
    return describe(shop.places, name) | {"not_had": lacking}


def add_packages(shop: Workshop, name: str, specs: Sequence[str]) -> list[str]:
    """Add packages of the site's channels; return those that are not to be had."""
    with entered(shop, name, "add"):
        return _add(shop, name, specs, ())


def _renew(
    shop: Workshop,
    name: str,
    backend: Backend,
    found: Resolution,
    carry_from: Path | None = None,
) -> list[str]:
    """Build, put in place, and judge; the old one comes back when it is no good."""
    places = shop.places
    stage, marker, lacking = build(
        shop, name, backend, found, careful=True, carry_from=carry_from
    )
    kept = replace(places, name, stage, marker.build)
    if why := judge(shop, name)():
        put_back(places, name, kept)
        recover(places, name, lambda: None)
        raise BootstrapError(
            "new_broken",
            f"The new environment was no good, so the old one is back. {why.text}",
            "Tell the operators of this site: what they publish does not start.",
        )
    gone = let_go(places, name, kept)
    shop.report.phase("old", "Removing the old one")
    remove(gone)
    return lacking


def _bring_back(shop: Workshop, name: str) -> list[str]:
    """Add what the newest fitting list names; tell what is not to be had."""
    saved = newest_with_more(shop.places, name)
    if saved is None:
        shop.report.note("Nothing to bring back: no package is missing.")
        return []
    conda, pip = saved.missing_in(shop.places.environment(name))
    shop.report.note(f"Bringing back what was there on {saved.saved_at}")
    return _add(shop, name, conda, pip)


def _add(
    shop: Workshop, name: str, conda: Sequence[str], pip: Sequence[str]
) -> list[str]:
    """Build it once more with more in it; what pip had added is taken along."""
    places = shop.places
    path = places.environment(name)
    shop.report.phase("solve", f"Finding packages: {len(conda) + len(pip)}")
    backend = find_backend(shop.site)
    found, lacking = backend.resolve_more(path, conda, places)
    if lacking:
        shop.report.note(f"The channels of this site lack: {', '.join(lacking)}.")
    if len(lacking) == len(conda) and not pip:
        return lacking
    shop.report.note(check_room(need(found.packages, None, places), places))
    marker = read_marker(path)
    origin = (marker.base, marker.lock_sha256) if marker else (None, None)
    source = changed(found.source, pip=tuple(pip), origin=origin)
    resolved = changed(found, source=source)
    return lacking + _renew(shop, name, backend, resolved, carry_from=path)
