"""Delete an environment: it loses its name at once, its files after that."""

import os
from typing import Any

from conda_bootstrap.errors import Refused
from conda_bootstrap.exchange import flush_names
from conda_bootstrap.inventory import default_name
from conda_bootstrap.locks import locked
from conda_bootstrap.places import Places, check_listed_name, check_own
from conda_bootstrap.replacing import recover
from conda_bootstrap.reporting import Report
from conda_bootstrap.stages import let_go, remove


def delete(places: Places, name: str, report: Report) -> dict[str, Any]:
    """Remove an environment or a link to one, never what a link leads to.

    Nothing of it needs room, so a full disk does not stop it.
    """
    check_listed_name(name)
    check_own(places)
    path = places.environment(name)
    _check_there(places, name)
    with locked(places, name, "delete"):
        recover(places, name, lambda: None)
        _check_there(places, name)
        if path.is_symlink():
            path.unlink()
        else:
            places.old.mkdir(mode=0o700, parents=True, exist_ok=True)
            gone = let_go(places, name, path)
            flush_names(places.envs)
            report.phase("remove", f"Removing {name}")
            remove(gone)
        for note in (places.note("sizes", name), places.note("verified", name)):
            note.unlink(missing_ok=True)
        was_default = default_name(places) == name
        if was_default:
            places.default.unlink(missing_ok=True)
    return {"name": name, "was_default": was_default}


def _check_there(places: Places, name: str) -> None:
    if not os.path.lexists(places.environment(name)):
        raise Refused(
            "no_environment",
            f"There is no environment {name} in {places.envs}.",
            "See which there are: list",
        )
