"""Lists as people read them on a terminal."""

from typing import Any

from conda_bootstrap.places import Places
from conda_bootstrap.reporting import size


def environments_table(
    found: list[dict[str, Any]], there: dict[str, Any], places: Places
) -> str:
    """Return all environments, the reason of each broken one, and the room left."""
    lines = [_row("NAME", "STATE", "PYTHON", "PACKAGES", "SIZE", "OWN", "BASE")]
    for one in found:
        lines.append(_environment(one))
        if one["why"]:
            lines.append(f"    {one['why']['text']} Mend it: repair {one['name']}")
    if not found:
        lines = [f"There is no environment in {places.envs} yet. Begin with: setup"]
    files = there["free_files"]
    more = "" if files is None else f" and {files:,} files"
    return "\n".join([*lines, f"Free: {size(there['free_bytes'])}{more}"])


def _environment(one: dict[str, Any]) -> str:
    counted = one["size"] or {}
    base = (one["base"] or "-") + (" (newer there)" if one["outdated"] else "")
    return _row(
        one["name"] + (" *" if one["is_default"] else ""),
        one["state"],
        one["python"] or "-",
        str(one["packages"]),
        size(counted["bytes"]) if counted else "?",
        size(counted["own_bytes"]) if counted else "?",
        base,
    )


def _row(*cells: str) -> str:
    widths = (24, 8, 9, 9, 9, 9, 1)
    return "  ".join(
        f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)
    ).rstrip()
