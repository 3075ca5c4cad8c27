"""Create an environment under a name that is free."""

import os
from typing import Any

from conda_bootstrap.errors import Refused
from conda_bootstrap.exchange import flush_names, place
from conda_bootstrap.kernels import kernels
from conda_bootstrap.locks import locked
from conda_bootstrap.making import Workshop, build, prepare
from conda_bootstrap.places import Places, check_name, check_own
from conda_bootstrap.sources import Source
from conda_bootstrap.stages import sweep


def create(shop: Workshop, name: str, source: Source) -> dict[str, Any]:
    """Make an environment; either it is there whole afterwards or not at all."""
    check_name(name)
    places = shop.places
    check_own(places)
    check_free(places, name)
    with locked(places, name, "create"):
        check_free(places, name)
        sweep(places, name)
        backend, found = prepare(shop, source)
        places.make()
        stage, marker = build(shop, name, backend, found)
        place(stage, places.environment(name))
        flush_names(places.envs)
    return describe(places, name) | {"packages": len(marker.packages)}


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
    return {"name": name, "path": str(path), "kernels": titles}
