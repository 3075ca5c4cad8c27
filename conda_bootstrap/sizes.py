"""How big an environment is, links counted for what they are."""

import os
from pathlib import Path
from typing import Any

from conda_bootstrap.json_files import read_object, write_json
from conda_bootstrap.marker import now
from conda_bootstrap.places import Places

_BLOCK = 512


def count(folder: Path) -> dict[str, Any]:
    """Return bytes and files of all that is inside, and of what it alone holds.

    A file with a link outside, in the package cache, would not go away with it.
    """
    files: dict[tuple[int, int], tuple[int, int, int]] = {}
    total = own = entries = folders = 0
    waiting = [str(folder)]
    while waiting:
        here = waiting.pop()
        folders += 1
        own += (blocks := os.lstat(here).st_blocks * _BLOCK)
        total += blocks
        for entry in os.scandir(here):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
                continue
            facts = entry.stat(follow_symlinks=False)
            entries += 1
            key = facts.st_dev, facts.st_ino
            seen = files.get(key, (0, 0, 0))[0]
            files[key] = seen + 1, facts.st_nlink, facts.st_blocks * _BLOCK
    alone = [taken for seen, links, taken in files.values() if seen == links]
    return {
        "bytes": total + sum(taken for _, _, taken in files.values()),
        "own_bytes": own + sum(alone),
        "files": entries + folders,
        "own_files": folders + len(alone),
        "counted_at": now(),
    }


def counted(places: Places, name: str) -> dict[str, Any]:
    """Count an environment and keep the figures for lists."""
    figures = count(places.environment(name))
    note = places.note("sizes", name)
    note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(note, figures)
    return figures


def known(places: Places, name: str) -> dict[str, Any] | None:
    """Return the figures that were counted last."""
    figures = read_object(places.note("sizes", name))
    return figures if isinstance(figures.get("own_bytes"), int) else None
