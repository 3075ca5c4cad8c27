"""Put a new environment in the place of another, and back when it is no good.

A process may be killed between any two lines. What it leaves is told by the names in
`old` and the marks inside, and `recover` finishes it; so either the one environment or
the other is in the place, whole.
"""

import os
from collections.abc import Callable
from pathlib import Path

from conda_bootstrap.exchange import exchange, flush_names, place
from conda_bootstrap.kernels import Why
from conda_bootstrap.marker import read_marker
from conda_bootstrap.places import Places
from conda_bootstrap.stages import NEW, build_of, let_go, news, olds, sweep

Judge = Callable[[], Why | None]


def replace(places: Places, name: str, stage: Path, build: str) -> Path:
    """Put a finished stage in an environment's place; return where the old one is."""
    final = places.environment(name)
    kept = places.old / f"{name}.{build}"
    ready = kept.with_name(kept.name + NEW)
    stage.rename(ready)
    if exchange(ready, final):
        ready.rename(kept)
    else:
        final.rename(kept)
        place(ready, final)
    flush_names(places.envs)
    return kept


def put_back(places: Places, name: str, kept: Path) -> None:
    """Give an environment its place again; what was there instead is let go."""
    final = places.environment(name)
    if exchange(kept, final):
        let_go(places, name, kept)
    else:
        let_go(places, name, final)
        place(kept, final)
    flush_names(places.envs)


def recover(places: Places, name: str, judge: Judge) -> None:
    """Finish what an interrupted operation on a name began; its lock must be held."""
    final = places.environment(name)
    for ready in news(places, name):
        _settle_new(places, name, ready)
    for kept in olds(places, name):
        if not os.path.lexists(final):
            place(kept, final)
        elif _build(kept) == build_of(kept) or _build(final) != build_of(kept):
            # It was found no good and put aside, or what replaced it was replaced.
            let_go(places, name, kept)
        elif judge():
            put_back(places, name, kept)
        else:
            let_go(places, name, kept)
    sweep(places, name)


def _settle_new(places: Places, name: str, ready: Path) -> None:
    """Name what lies there for what it is: the exchange was made, or was not."""
    if _build(places.environment(name)) == build_of(ready):
        ready.rename(ready.with_name(ready.name.removesuffix(NEW)))
    else:
        let_go(places, name, ready)


def _build(prefix: Path) -> str | None:
    marker = read_marker(prefix)
    return marker.build if marker else None
