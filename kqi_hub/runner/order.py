"""The order for a notebook's job: a JSON file that only its owner may read."""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_VERSION: Final = 1
_LONGEST: Final = 1 << 20


class BadOrder(Exception):
    """The file of the order is missing, somebody else's, or not to be read."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to run, where, and with what."""

    folder: Path  # the person's own on scratch
    hub: Mapping[str, str] = field(repr=False)
    notebook_id: int
    name: str
    page: str
    ui: str = "lab"
    environment: str = ""
    repository: tuple[str, str] | None = None
    git: tuple[str, str] | None = field(default=None, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    command: str = ""
    dataset: tuple[int, str] | None = None  # its number, and where it lies
    parents: tuple[tuple[int, str], ...] = ()  # the same of runs with results
    copies: bool = False  # whether it is copied to the node's own disk first
    lifetime_s: int | None = None
    idle_stop_s: int = 0
    idle_warn_s: int = 600
    end_warn_s: int = 600
    # Whether Git has the token in the session, too; and where this was read from.
    may_push: bool = False
    file: Path = Path()


def read_order(file: Path) -> Order:
    """Return the order of `<folder>/kqi/secrets/<job name>`."""
    try:
        told = json.loads(own_text(file))
    except (OSError, ValueError) as error:
        raise BadOrder(f"the order {file} cannot be read: {error}") from error
    try:
        return _order(file, told)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise BadOrder(f"the order {file} is not as it should be: {problem}") from error


def own_text(file: Path, longest: int = _LONGEST) -> str:
    """Read a file that is ours and nobody else's; a link is not followed."""
    handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as stream:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_uid != os.geteuid():
            raise PermissionError("it is not a file of your own")
        if info.st_mode & 0o077:
            raise PermissionError("others may read it (mode must be 0600)")
        return stream.read(longest).decode()


def _order(file: Path, told: Any) -> Order:
    if told["version"] != _VERSION:
        raise ValueError(f"its version is {told['version']!r}, not {_VERSION}")
    notebook = told["notebook"]
    git, repository = told.get("git"), notebook.get("repository")
    lifetime = notebook.get("lifetime_s")
    return Order(
        folder=file.absolute().parents[2],
        hub=texts(told["hub"]),
        notebook_id=int(notebook["id"]),
        name=str(notebook["name"]),
        page=str(notebook["page"]),
        ui="tree" if notebook.get("ui") == "tree" else "lab",
        environment=str(notebook.get("environment") or ""),
        repository=pair(repository, "url", "ref"),
        git=pair(git, "user", "password"),
        variables=texts(notebook.get("variables") or {}),
        command=str(notebook.get("command") or ""),
        dataset=_dataset(notebook.get("dataset")),
        parents=tuple(_place(*one) for one in notebook.get("parents", ())),
        copies=notebook.get("staging") == "copy",
        lifetime_s=None if lifetime is None else int(lifetime),
        idle_stop_s=int(notebook.get("idle_stop_s", 0)),
        idle_warn_s=int(notebook.get("idle_warn_s", 600)),
        end_warn_s=int(notebook.get("end_warn_s", 600)),
        may_push=notebook.get("may_push") is True,
        file=file.absolute(),
    )


def pair(told: Any, first: str, second: str) -> tuple[str, str] | None:
    """Return two texts of an object, None where there is no object."""
    if not told:
        return None
    return str(told[first]), str(told.get(second) or "")


def _dataset(told: Any) -> tuple[int, str] | None:
    if not told:
        return None
    return _place(told["id"], told["path"])


def _place(number: Any, told: Any) -> tuple[int, str]:
    path = str(told)
    if "\0" in path or (path and not path.startswith("/")):
        raise ValueError(f"{path!r} cannot be where {number} lies")
    return int(number), path


def texts(told: Mapping[str, Any]) -> dict[str, str]:
    """Return names and values that can be in an environment."""
    texts = {str(name): str(value) for name, value in told.items()}
    for name, value in texts.items():
        if not name or "=" in name or "\0" in name + value:
            raise ValueError(f"{name!r} cannot be a variable of an environment")
    return texts
