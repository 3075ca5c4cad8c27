"""Begin an operation on an environment that is there."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from conda_bootstrap.errors import Refused
from conda_bootstrap.kernels import Why
from conda_bootstrap.locks import locked
from conda_bootstrap.making import Workshop
from conda_bootstrap.places import check_name, check_own
from conda_bootstrap.replacing import recover
from conda_bootstrap.room import check_little_room
from conda_bootstrap.stages import names_under_way
from conda_bootstrap.verifying import verify


@contextlib.contextmanager
def entered(shop: Workshop, name: str, operation: str) -> Iterator[Path]:
    """Hold the lock of an environment that may be replaced, all checks made."""
    check_name(name)
    places = shop.places
    check_own(places)
    _check_there(places.environment(name), name, name in names_under_way(places))
    check_little_room(places)
    with locked(places, name, operation):
        recover(places, name, judge(shop, name))
        path = places.environment(name)
        _check_there(path, name, False)
        yield path


def judge(shop: Workshop, name: str) -> Callable[[], Why | None]:
    """Return what finds out whether an environment's kernels start."""

    def found() -> Why | None:
        why = verify(shop.places, name, shop.report)["why"]
        return Why(**why) if why else None

    return found


def sweep_all(shop: Workshop) -> int:
    """Finish or remove what is left of all names that nobody works on now."""
    names = names_under_way(shop.places)
    for name in names:
        with contextlib.suppress(Refused), locked(shop.places, name, "sweep"):
            recover(shop.places, name, judge(shop, name))
    return len({*names} - {*names_under_way(shop.places)})


def _check_there(path: Path, name: str, may_come_back: bool) -> None:
    if path.is_symlink():
        raise Refused(
            "link",
            f"{path} is a link to {path.readlink()}.",
            f"Delete the link first (delete {name}), then create it.",
        )
    if not path.is_dir():
        if may_come_back:
            return
        raise Refused(
            "no_environment",
            f"There is no environment {name}.",
            f"Make it: create {name}",
        )
    if path.stat().st_uid != os.geteuid():
        raise Refused("not_yours", f"{path} does not belong to you.")
