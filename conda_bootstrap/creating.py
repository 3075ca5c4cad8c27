"""Create an environment under a name that is free."""

import os
from typing import Any

from conda_bootstrap.errors import Refused
from conda_bootstrap.exchange import flush_names, place
from conda_bootstrap.kernels import kernels
from conda_bootstrap.locks import locked
from conda_bootstrap.making import Workshop, build, prepare
from conda_bootstrap.packages import distributions, record_stems
from conda_bootstrap.places import Places, check_name, check_own
from conda_bootstrap.replacing import recover
from conda_bootstrap.room import check_little_room
from conda_bootstrap.sources import Source


def create(shop: Workshop, name: str, source: Source) -> dict[str, Any]:
    """Make an environment; either it is there whole afterwards or not at all."""
    check_name(name)
    places = shop.places
    check_own(places)
    check_free(places, name)
    check_little_room(places)
    with locked(places, name, "create"):
        recover(places, name, lambda: None)
        check_free(places, name)
        backend, found = prepare(shop, source)
        places.make()
        stage, _, lacking = build(shop, name, backend, found)
        place(stage, places.environment(name))
        flush_names(places.envs)
    return describe(places, name) | {"not_had": lacking}


def check_free(places: Places, name: str) -> None:
    """Refuse a name that is taken, even by a link that leads nowhere."""
    path = places.environment(name)
    if os.path.lexists(path):
        raise Refused(
            "taken",
            f"There is already an environment {name} in {places.envs}.",
            f"Choose another name, or use: reset {name}",
        )


def describe(places: Places, name: str) -> dict[str, Any]:
    """Return what every operation tells of the environment in the end."""
    path = places.environment(name)
    titles = [{"name": one.name, "title": one.title} for one in kernels(path)]
    return {
        "name": name,
        "path": str(path),
        "kernels": titles,
        "packages": len(record_stems(path)) + len(distributions(path)),
    }
