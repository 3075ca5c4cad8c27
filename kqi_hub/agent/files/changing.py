"""Make folders, move, rename: below the person's own folder and the site's roots."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from kqi_hub.agent.disk import disk_problem
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.names import travelling
from kqi_hub.agent.files.places import Place, found, require_inside
from kqi_hub.agent.files.renaming import rename_new

MOST_PATHS: Final = 10_000
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def changing(folder: Place) -> Iterator[int]:
    """Hold a folder to change what is in it; links may not lead out of its root."""
    if not folder.root.may_change:
        raise Problem(
            403, "read-only", "What is published here stays as it is: nothing changes."
        )
    with found(folder) as held:
        if held.kind != "folder":
            raise Problem(409, "not-folder", "This is no folder.")
        require_inside(held.real, (folder.root.folder,))
        yield held.place


def like_folder(info: os.stat_result) -> int:
    """Return the permissions of something new: who may use its folder may use it."""
    return info.st_mode & 0o777 | 0o600


def _make(folder: int, name: str) -> None:
    os.mkdir(name, dir_fd=folder)
    made = os.open(name, _FOLDER, dir_fd=folder)
    try:
        inherited = os.fstat(made).st_mode & stat.S_ISGID
        os.fchmod(made, like_folder(os.fstat(folder)) | 0o100 | inherited)
    finally:
        os.close(made)


def make_folder(place: Place, parents: bool) -> None:
    """Make a folder, and those above it if that is wanted. Blocks."""
    above = place.folder
    if parents:
        make_parents(above)
    with changing(above) as folder:
        try:
            _make(folder, place.names[-1])
        except FileExistsError:
            raise _taken(place) from None


def make_parents(place: Place) -> None:
    """Make what is missing on the way to a folder, and the folder. Blocks."""
    for depth in range(1, len(place.names) + 1):
        here = Place(place.root, place.names[:depth], place.allowed)
        try:
            with found(here):
                continue
        except FileNotFoundError:
            with changing(here.folder) as folder, suppress(FileExistsError):
                _make(folder, here.names[-1])


def rename(source: Place, target: Place) -> None:
    """Give something another name or another folder. Blocks."""
    with changing(source.folder) as old, changing(target.folder) as new:
        try:
            rename_new(old, source.names[-1], new, target.names[-1])
        except FileExistsError:
            raise _taken(target) from None
        except OSError as error:
            raise _cannot_move(error) from error


def move_into(
    sources: Sequence[Place], folder: Place
) -> tuple[list[str], list[dict[str, Any]]]:
    """Move several into a folder; return their new paths, and what was refused."""
    moved: list[str] = []
    refused: list[dict[str, Any]] = []
    for source in sources:
        try:
            source.require_name()
            target = folder.below(source.names[-1])
            rename(source, target)
            moved.append(target.path)
        except (Problem, OSError) as error:
            refused.append(refusal(source, error))
    return moved, refused


def refusal(place: Place, error: Problem | OSError) -> dict[str, Any]:
    """Return why one of several was not done."""
    problem = error if isinstance(error, Problem) else disk_problem(error)
    return {"path": place.path, "error": problem.code, "message": problem.message}


def _taken(place: Place) -> Problem:
    return Problem(
        409, "exists",
        f"{travelling(place.names[-1])!a} is there already: take another name.",
    )  # fmt: skip


def _cannot_move(error: OSError) -> Problem:
    if error.errno == errno.EXDEV:
        return Problem(
            409, "other-disk",
            "The two folders are on different file systems: copy it in a terminal.",
        )  # fmt: skip
    if error.errno == errno.EINVAL:
        return Problem(409, "into-itself", "A folder cannot be moved into itself.")
    return disk_problem(error)
