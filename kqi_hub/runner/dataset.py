"""A notebook's dataset: a link to it in the workspace, a variable with its place.

Where it was asked for, the variable leads to a copy on the node's own disk. The link
leads to the original all the same: the workspace is there on other nodes, too.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kqi_hub.runner.links import forget_gone, put_link, why_of
from kqi_hub.runner.local_copy import NoCopy, local_copy, local_place

VARIABLE: Final = "KQI_INPUT"
_SAY_EVERY_S: Final = 10.0


class NoDataset(Exception):
    """The dataset cannot be read; the message is for people."""


@dataclass(frozen=True, slots=True)
class Near:
    """A dataset as programs on this node read it; `why` it was not copied."""

    dataset: tuple[int, str] | None
    why: str = ""


@contextmanager
def near_dataset(
    dataset: tuple[int, str] | None, copies: bool, say: Callable[[str], None]
) -> Iterator[Near]:
    """Give where a dataset is to be read: in a copy, or where it lies.

    The copy goes away afterwards. One that cannot be made is no reason not to start.
    """
    if dataset is None or not dataset[1] or not copies:
        yield Near(dataset)
        return
    number, path = dataset
    place = local_place(os.environ)
    say(f"Dataset {number} is copied to {place} on this node.")
    with ExitStack() as stack:
        try:
            copy = stack.enter_context(local_copy(Path(path), place, _teller(say)))
            near = Near((number, str(copy)))
        except NoCopy as error:
            say(f"It is read where it lies, because it cannot be copied: {error}.")
            near = Near(dataset, str(error))
        yield near


def _teller(say: Callable[[str], None]) -> Callable[[int, int], None]:
    """Return what says now and then how far a copy is."""
    told_at = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told_at
        if done == total or time.monotonic() - told_at > _SAY_EVERY_S:
            told_at = time.monotonic()
            say(f"Copied {done / 1e9:.2f} of {total / 1e9:.2f} GB.")

    return tell


def variables_of(dataset: tuple[int, str] | None) -> Mapping[str, str]:
    """Return what programs in the notebook are told of the dataset."""
    return {} if dataset is None or not dataset[1] else {VARIABLE: dataset[1]}


def link_dataset(
    dataset: tuple[int, str] | None,
    workspace: Path,
    say: Callable[[str], None],
    read_from: str = "",
) -> None:
    """Link the dataset into the workspace; NoDataset when it cannot be read.

    Links to datasets of earlier sessions that are gone by now go too.
    """
    forget_gone(workspace)
    if dataset is None:
        return
    number, path = dataset
    check_readable(path)
    put_link(workspace / f"input-{number}", path, f"dataset {number}", say)
    place = read_from or path
    say(f"Dataset {number} is in {place}; programs find that in ${VARIABLE}.")


def check_readable(path: str) -> None:
    """Open the folder: on some file systems only that tells whether one may."""
    if not path:
        raise NoDataset("the data store did not answer when this notebook was started")
    try:
        with os.scandir(path) as entries:
            next(entries, None)
    except OSError as error:
        raise NoDataset(f"{path}: {why_of(error)}") from error
