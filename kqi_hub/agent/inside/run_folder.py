"""What a run's folder says of it: the files of its contract, read as they lie there.

The person's own programs may have written anything there, so nothing is believed: what
is no object, or longer than such a file gets, is as if it were not there.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kqi_hub.agent.folder import open_file

KINDS: Final = ("training", "inference", "preprocessing")
# A script that was submitted again has a folder beside the first: `12.4711`.
_ID: Final = re.compile(r"[1-9][0-9]{0,14}(?:\.[1-9][0-9]{0,9})?", re.ASCII)
# The names of jobs: `Run.job_name` of kqi_hub/domain/runs.py.
_JOB_NAME: Final = re.compile(rf"({'|'.join(KINDS)})-([1-9][0-9]{{0,14}})-[a-z2-7]+")
_MOST_BYTES: Final = 256 * 1024
_MOST_PORTS: Final = 100
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunPlace:
    """A run, as its folder is named."""

    kind: str
    id: str

    @property
    def names(self) -> tuple[str, ...]:
        """Return where its folder is below the person's."""
        return ("kqi", self.kind, self.id)

    @property
    def number(self) -> str:
        """Return the number of the run whose script it was."""
        return self.id.partition(".")[0]

    @property
    def word(self) -> str:
        """Return how it is written in one word, such as `training-12`."""
        return f"{self.kind}-{self.id}"


def run_place(kind: str, number: str) -> RunPlace | None:
    """Return the run of a kind and a number as they stand in an address."""
    is_one = kind in KINDS and _ID.fullmatch(number) is not None
    return RunPlace(kind, number) if is_one else None


def place_of_job(name: str) -> RunPlace | None:
    """Return the run whose job is called so; None for other jobs."""
    found = _JOB_NAME.fullmatch(name)
    return RunPlace(found[1], found[2]) if found else None


def document(root: Path, place: RunPlace, name: str) -> Document | None:
    """Read one of its files; None where there is none that can be used. Blocks."""
    try:
        with open_file(root, *place.names, name) as file:
            raw = os.read(file, _MOST_BYTES + 1)
        said = json.loads(raw) if len(raw) <= _MOST_BYTES else None
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def running_folder(root: Path, place: RunPlace) -> tuple[Path, bool]:
    """Return a run's folder, and whether its command runs by its own word. Blocks.

    Without a folder it is the person's own.
    """
    folder = root.joinpath(*place.names)
    state = document(root, place, "state.json") or {}
    is_running = state.get("phase") == "running" and "command_pid" in state
    return (folder, is_running) if folder.is_dir() else (root, False)


def announced_ports(root: Path, place: RunPlace, job_name: str = "") -> tuple[int, ...]:
    """Return the ports that the run was asked for with. Blocks."""
    order = document(root, place, "order.json") or {}
    run = order.get("run")
    if not isinstance(run, dict) or (job_name and run.get("job_name") != job_name):
        return ()
    ports = run.get("ports")
    found = ports if isinstance(ports, list) else []
    return tuple(
        port for port in found[:_MOST_PORTS] if type(port) is int and 0 < port < 65536
    )
