"""What has to be there before a run's command begins; what is missing ends the run."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from kqi_hub.runner.dataset import NoDataset, check_readable
from kqi_hub.runner.images.cache import Cache, KeptImage
from kqi_hub.runner.images.fetching import NoImage, bring_image
from kqi_hub.runner.images.gpu_libraries import gpu_mounts
from kqi_hub.runner.images.surroundings import BASH, has_bash, surroundings
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


def find_image(order: RunOrder, diary: Diary) -> KeptImage | None:
    """Return the chosen image, if one was, fetched where it is new; Failed."""
    wanted = order.image
    if wanted is None:
        return None
    try:
        found = bring_image(
            wanted,
            Cache(order.images),
            say,
            lambda: diary.phase("fetching"),
            lambda done, of: diary.progress(done, of, "bytes"),
        )
    except NoImage as error:
        why = f"the image {wanted.name} was not brought: {error}"
        raise Failed(_NO_ENVIRONMENT, why) from error
    if not has_bash(found.root):
        why = f"the image {wanted.name} has no {BASH}, which runs the command"
        raise Failed(_NO_ENVIRONMENT, why)
    return found


def around_image(image: KeptImage, folder: Path) -> list[str]:
    """Return what is shown beside a run's folders: the image, and the node's driver."""
    environ = os.environ
    return surroundings(image.root, folder, environ, gpu_mounts(environ))


def sweep_images(order: RunOrder) -> None:
    """Remove images that no run of the person's has used for long."""
    if order.images_kept_s:
        gone = Cache(order.images).sweep(order.images_kept_s)
        if gone:
            say(f"Images that no run has used for long are removed: {len(gone)}.")


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


def home_of(
    order: RunOrder,
    input_from: Path | None,
    diary: Diary,
    image: KeptImage | None = None,
) -> Home:
    """Make the run's folders and mounts; Failed."""
    number = order.item.data if order.item is not None else None
    item = "" if number is None else str(number)
    try:
        around = None if image is None else around_image(image, order.folder)
        home = make_home(
            order.folder, input_from, order.parents, os.environ, item, around
        )
    except OSError as error:
        why = f"the folder {order.folder} cannot be used: {error.strerror or error}"
        raise Failed(_NO_FOLDER, why) from error
    diary.mounts = home.kind
    if image is not None and home.why:
        raise Failed(_NO_ENVIRONMENT, f"the image cannot be run here: {home.why}")
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
