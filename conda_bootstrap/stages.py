"""Folders under way: stages that are being built, and old ones that wait to go.

In `old`, NAME.BUILD is what was replaced when BUILD came into its place, NAME.BUILD.new
is BUILD itself just before that, and NAME.anything.gone is left to be removed.
"""

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from conda_bootstrap.places import Places

GONE: Final = ".gone"
NEW: Final = ".new"
_TWIN: Final = "twin"
_TRIES: Final = 20
_PAUSE_S: Final = 0.1
_TWIN_NAME: Final = re.compile(r"~[a-z2-7]{3,}")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"


def new_stage(places: Places, name: str) -> Path:
    """Return a new, empty folder in which an environment of that name is built."""
    stage = places.stage / f"{name}.{secrets.token_hex(4)}"
    stage.mkdir()
    return stage


def new_twin(places: Places, stage: Path, final: Path) -> Path:
    """Return a new folder whose path is exactly as long as an environment's final one.

    For installers that write the path they work in into files: there it can be
    replaced byte for byte afterwards, even in programs. The stage remembers it.
    """
    length = len(os.fsencode(final)) - len(os.fsencode(places.conda)) - 1
    name = "~" + "".join(secrets.choice(_LETTERS) for _ in range(length - 1))
    twin = places.conda / name
    (stage / _TWIN).write_text(name, encoding="ascii")
    twin.mkdir()
    return twin


def olds(places: Places, name: str) -> list[Path]:
    """Return what is kept of environments of that name that were replaced."""
    kept = _of(places.old, name)
    return [one for one in kept if not one.name.endswith((GONE, NEW))]


def news(places: Places, name: str) -> list[Path]:
    """Return what was about to come into the place of an environment."""
    return [one for one in _of(places.old, name) if one.name.endswith(NEW)]


def build_of(folder: Path) -> str:
    """Return the build that something in `old` was replaced by."""
    return folder.name.removesuffix(NEW).rpartition(".")[2]


def let_go(places: Places, name: str, folder: Path) -> Path:
    """Rename a folder to where it is only removed; nothing brings it back."""
    gone = places.old / f"{name}.{secrets.token_hex(6)}{GONE}"
    folder.rename(gone)
    return gone


def sweep(places: Places, name: str) -> int:
    """Remove what earlier operations on a name left behind; its lock must be held."""
    stages = _of(places.stage, name)
    left = [twin for stage in stages if (twin := _twin_of(places, stage))]
    left += stages
    left += [one for one in _of(places.old, name) if one.name.endswith(GONE)]
    for folder in left:
        remove(folder)
    return len(left)


def names_under_way(places: Places) -> list[str]:
    """Return the names that have a stage or something old."""
    found = {_name_of(one) for one in (*_inside(places.stage), *_inside(places.old))}
    return sorted(found - {""})


def remove(folder: Path) -> None:
    """Remove a folder even where write protection is in the way, or a link."""
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink(missing_ok=True)
        return
    # Where an installation has failed, its threads may write a moment longer.
    for left in range(_TRIES, -1, -1):
        try:
            shutil.rmtree(folder, onerror=_unprotect)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY or not left:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def _unprotect(function: Callable[..., Any], path: str, problem: Any) -> None:
    """Try once more with the right to write; what has gone meanwhile is no problem."""
    error = problem[1]
    if isinstance(error, FileNotFoundError):
        return
    if not isinstance(error, PermissionError):
        raise error
    place = Path(path)
    place.parent.chmod(place.parent.stat().st_mode | stat.S_IRWXU)
    if function in (os.rmdir, os.unlink):
        function(path)
        return
    place.chmod(stat.S_IRWXU)
    shutil.rmtree(path)


def _twin_of(places: Places, stage: Path) -> Path | None:
    try:
        name = (stage / _TWIN).read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    return places.conda / name if _TWIN_NAME.fullmatch(name) else None


def _of(folder: Path, name: str) -> list[Path]:
    return [one for one in _inside(folder) if _name_of(one) == name]


def _inside(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from sorted(folder.iterdir())


def _name_of(folder: Path) -> str:
    return folder.name.removesuffix(GONE).removesuffix(NEW).rpartition(".")[0]
