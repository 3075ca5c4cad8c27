"""What has to be there before a run's command begins; what is missing ends the run."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from kqi_hub.runner.dataset import NoDataset, check_readable
from kqi_hub.runner.kernels import has_environment
from kqi_hub.runner.local_copy import NoCopy, local_copy, local_place
from kqi_hub.runner.repository import CloneFailed, Source
from kqi_hub.runner.runs.diary import Diary
from kqi_hub.runner.runs.mounts import Home, make_home
from kqi_hub.runner.runs.order import RunOrder
from kqi_hub.runner.runs.packages import note_packages
from kqi_hub.runner.runs.source import clone_source
from kqi_hub.runner.say import say

_NO_INPUT: Final = 66
_NO_ENVIRONMENT: Final = 68
_NO_SOURCE: Final = 69
_NO_FOLDER: Final = 73


class Failed(Exception):
    """The run cannot go on; the message is for people."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code, self.why = code, why


def find_environment(order: RunOrder) -> Path | None:
    """Return the chosen environment, if one was; Failed when it is not there."""
    name = order.environment
    if not name:
        return None
    if not has_environment(order.environments, name):
        why = f"there is no environment {name} in {order.environments}"
        raise Failed(_NO_ENVIRONMENT, why)
    return order.environments / name


def packages_of(prefix: Path, order: RunOrder, diary: Diary) -> dict[str, Any] | None:
    """Note an environment's packages; that they cannot be noted is no failure."""
    try:
        return note_packages(prefix, order.folder)
    except OSError as error:
        diary.note(f"The environment's packages are not noted: {error}.")
        return None


def check_parents(order: RunOrder) -> None:
    """Refuse to begin without what the run builds on; Failed."""
    for parent in order.parents:
        try:
            check_readable(str(parent.path))
        except NoDataset as error:
            why = f"the results of {parent.kind} {parent.id} cannot be read: {error}"
            raise Failed(_NO_INPUT, why) from error


@contextlib.contextmanager
def input_of(order: RunOrder, diary: Diary) -> Iterator[Path | None]:
    """Give where the input lies: where it is kept, or in a copy that goes away."""
    if order.input is None:
        yield None
        return
    what, path = order.input
    try:
        check_readable(str(path))
    except NoDataset as error:
        raise Failed(_NO_INPUT, f"{what} cannot be read: {error}") from error
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(_copied(path, diary)) if order.copies else path


@contextlib.contextmanager
def _copied(path: Path, diary: Diary) -> Iterator[Path]:
    place = local_place(os.environ)
    say(f"Copying the input to {place} on this node.")
    with contextlib.ExitStack() as stack:
        try:
            copy = stack.enter_context(
                local_copy(
                    path, place, lambda done, of: diary.progress(done, of, "bytes")
                )
            )
        except NoCopy as error:
            diary.note(f"The input is not copied to this node but linked: {error}.")
            copy = path
        yield copy


def home_of(order: RunOrder, input_from: Path | None, diary: Diary) -> Home:
    """Make the run's folders and mounts; Failed."""
    number = order.item.data if order.item is not None else None
    item = "" if number is None else str(number)
    try:
        home = make_home(order.folder, input_from, order.parents, os.environ, item)
    except OSError as error:
        why = f"the folder {order.folder} cannot be used: {error.strerror or error}"
        raise Failed(_NO_FOLDER, why) from error
    diary.mounts = home.kind
    if home.why:
        diary.note(
            f"There is no /kqi on this node ({home.why}): the same folders are in "
            f"$KQI_HOME, {home.path}, and input and parent are links."
        )
    return home


def bring_source(order: RunOrder, variables: dict[str, str], diary: Diary) -> None:
    """Clone the source, if there is one; Failed."""
    target = order.folder / "git"
    if order.source is None:
        return
    diary.phase("cloning")
    url, ref = order.source
    try:
        clone_source(Source(url, ref, order.git), target, variables, say)
    except CloneFailed as error:
        raise Failed(_NO_SOURCE, f"the source was not brought: {error}") from error
