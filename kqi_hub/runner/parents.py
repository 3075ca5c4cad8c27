"""Results of runs in a notebook's workspace: a link each, a variable for one alone."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from kqi_hub.runner.links import put_link, why_of

VARIABLE: Final = "KQI_PARENT"
Parents = tuple[tuple[int, str], ...]


def variables_of_parents(parents: Parents) -> Mapping[str, str]:
    """Return what programs are told: where the results lie, if it is one run's."""
    return {VARIABLE: parents[0][1]} if len(parents) == 1 and parents[0][1] else {}


def link_parents(
    parents: Parents, workspace: Path, say: Callable[[str], None]
) -> Iterator[tuple[int, str]]:
    """Link the results of each run; give those that cannot be read, and why."""
    for number, path in parents:
        why = _trouble(path)
        if why:
            say(f"The results of run {number} cannot be read: {why}.")
            yield number, why
            continue
        link = workspace / f"parent-{number}"
        put_link(link, path, f"run {number}", say)
        say(f"The results of run {number} are in {path}.")


def _trouble(path: str) -> str:
    """Open the folder: on some file systems only that tells whether one may."""
    if not path:
        return "the run was deleted"
    try:
        with os.scandir(path) as entries:
            next(entries, None)
    except OSError as error:
        return f"{path}: {why_of(error)}"
    return ""
