"""What a run of the person's uses over time, as its own job has noted it."""

import math
import os
from pathlib import Path
from typing import Any, Final

from kqi_hub.agent.folder import open_file
from kqi_hub.agent.inside.run_folder import RunPlace
from kqi_hub.agent.inside.run_states import RunHandler

FIELDS: Final = (
    "epoch", "cpu_cores_used", "memory_mb", "gpu_percent", "gpu_memory_mb",
)  # fmt: skip
# Its runner stays far below both; what is longer was written by something else.
_MOST_BYTES: Final = 256 * 1024
_MOST_LINES: Final = 4_000
_LONGEST_NUMBER: Final = 20
_MOST: Final = 1e12
_NEEDED: Final = 3
Line = list[float | None]


class RunUseHandler(RunHandler):
    """GET api/runs/KIND/ID/use?since=EPOCH: the lines of its use.csv after a moment."""

    async def get(self, kind: str, number: str) -> None:
        """Answer; without such a file there are no lines."""
        place, since = self.place(kind, number), self.whole_number("since", 0)
        root = self.agent.told.folder
        self.answer(await self.on_disk(_use, root, place, since))


def _use(root: Path, place: RunPlace, since: int) -> dict[str, Any]:
    lines = [one for one in lines_of(_raw(root, place)) if (one[0] or 0) > since]
    return {"kind": place.kind, "id": place.id, "fields": FIELDS, "lines": lines}


def _raw(root: Path, place: RunPlace) -> bytes:
    try:
        with open_file(root, *place.names, "use.csv") as file:
            return os.read(file, _MOST_BYTES)
    except FileNotFoundError:
        return b""


def lines_of(raw: bytes) -> list[Line]:
    """Return the numbers of each line; what is no such line is left out."""
    found: list[Line] = []
    for text in raw.decode(errors="replace").splitlines():
        line = [_number(one) for one in text.split(",")]
        if len(line) == len(FIELDS) and None not in line[:_NEEDED]:
            found.append(line)
    return found[:_MOST_LINES]


def _number(text: str) -> float | None:
    try:
        value = float(text) if len(text) <= _LONGEST_NUMBER else math.nan
    except ValueError:
        return None
    return value if 0 <= value < _MOST else None
