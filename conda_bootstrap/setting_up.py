"""The first contact: everything that notebooks need, in one go; harmless twice."""

import contextlib
from pathlib import Path
from typing import Any

from conda_bootstrap import shell_block
from conda_bootstrap.creating import create, describe
from conda_bootstrap.entering import sweep_all
from conda_bootstrap.errors import BootstrapError, Refused
from conda_bootstrap.inventory import default_name
from conda_bootstrap.json_files import write_text
from conda_bootstrap.kernels import kernels
from conda_bootstrap.making import Workshop
from conda_bootstrap.packages import record_stems
from conda_bootstrap.places import FIRST, Places, check_own
from conda_bootstrap.plugins import install, profile_folders
from conda_bootstrap.room import check_little_room
from conda_bootstrap.sources import from_base
from conda_bootstrap.states import problem


def set_up(shop: Workshop, base: str | None, from_shell: bool) -> dict[str, Any]:
    """Make folders, the environment `notebook`, its plug-ins, and the shell's lines."""
    places = shop.places
    check_own(places)
    check_little_room(places)
    source = from_base(shop.site.base(base))
    sweep_all(shop)
    is_new = not places.environment(FIRST).exists()
    if is_new:
        create(shop, FIRST, source)
    else:
        shop.report.note(f"There is an environment {FIRST}; it stays as it is.")
        _check_whole(places)
    make_folders(places)
    with contextlib.suppress(OSError):
        if default_name(places) is None:
            set_default(places, FIRST)
    result = install(shop, FIRST, profile_folders(places, from_shell))
    if from_shell:
        add_shell_block(shop)
    return describe(places, FIRST) | {"is_new": is_new, "not_had": result["not_had"]}


def _check_whole(places: Places) -> None:
    """Refuse to put more into an environment that is broken."""
    path = places.environment(FIRST)
    if why := problem(path, record_stems(path), kernels(path), {}):
        raise Refused(
            "broken",
            f"The environment {FIRST} is broken: {why.text}",
            f"Make it anew: repair {FIRST}, or reset {FIRST}",
        )


def make_folders(places: Places) -> None:
    """Make the folders for work and logs; what is in them is never touched."""
    for folder in (places.workspace, places.log):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def set_default(places: Places, name: str) -> None:
    """Have notebooks begin with an environment."""
    places.own.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_text(places.default, f"{name}\n")


def add_shell_block(shop: Workshop) -> None:
    """Add the shell's lines; a home that is full or odd stops nothing."""
    try:
        change = shell_block.add(Path.home(), shop.places, shop.site.folder)
        shop.report.note(change.text)
    except BootstrapError as error:
        shop.report.note(str(error))
