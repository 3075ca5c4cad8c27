"""What an environment that is there would be made from again."""

from dataclasses import replace
from pathlib import Path

from conda_bootstrap.errors import Refused
from conda_bootstrap.json_files import read_text
from conda_bootstrap.making import Workshop
from conda_bootstrap.marker import LOCK_COPY, Marker, read_marker
from conda_bootstrap.sources import Source, from_base, from_explicit, from_lock


def for_reset(shop: Workshop, path: Path) -> Source:
    """Return the newest edition of its base, or else its own lock."""
    marker = read_marker(path)
    if source := _base(shop, marker):
        return source
    if marker and not marker.base and (path / LOCK_COPY).is_file():
        return _own_lock(path, marker)
    raise Refused(
        "which_base",
        f"{path.name} was not made from a base of this site, so it is not known what "
        "to reset it to.",
        _say_base(shop, path),
    )


def for_repair(shop: Workshop, path: Path) -> Source:
    """Return exactly what it was made from."""
    marker = read_marker(path)
    try:
        if marker:
            return _own_lock(path, marker)
    except (OSError, ValueError):
        if source := _base(shop, marker):
            return source
    raise Refused(
        "no_lock",
        f"{path.name} has no lock to be repaired from.",
        _say_base(shop, path),
    )


def _base(shop: Workshop, marker: Marker | None) -> Source | None:
    if marker is None or marker.base not in shop.site.names:
        return None
    return from_base(shop.site.base(marker.base))


def _own_lock(path: Path, marker: Marker) -> Source:
    text = read_text(path / LOCK_COPY)
    is_list = "@EXPLICIT" in text[:4000]
    source = from_explicit(text) if is_list else from_lock(text)
    origin = (marker.base, marker.lock_sha256)
    return replace(source, origin=origin, specs=marker.requested)


def _say_base(shop: Workshop, path: Path) -> str:
    names = ", ".join(shop.site.names)
    return f"Say so: reset {path.name} --base B, where B is one of: {names}."
