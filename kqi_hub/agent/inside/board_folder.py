"""The folders of TensorBoards: what was asked for, where one listens, what it shows.

kqi/tensorboards/training-12/   asked.json  what was asked for (the agent's)
place.json  where it listens (its job's)
runs/       a link for each run that it shows
log         what it said
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kqi_hub.agent.folder import open_file
from kqi_hub.agent.inside.run_folder import RunPlace

_PLACE: Final = ("kqi", "tensorboards")
_MOST_BYTES: Final = 64 * 1024
_SAID: Final = 2000


def board_path(root: Path, place: RunPlace) -> Path:
    """Return the folder of a run's TensorBoard."""
    return root.joinpath(*_PLACE, place.word)


def read(root: Path, place: RunPlace, name: str) -> dict[str, Any]:
    """Return what one of its files says; nothing where there is none. Blocks."""
    try:
        with open_file(root, *_PLACE, place.word, name) as file:
            said = json.loads(os.read(file, _MOST_BYTES))
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def last_words(root: Path, place: RunPlace) -> str:
    """Return the end of what it said. Blocks."""
    try:
        with open_file(root, *_PLACE, place.word, "log") as file:
            size = os.fstat(file).st_size
            raw = os.pread(file, _SAID, max(0, size - _SAID))
    except OSError:
        return ""
    return raw.decode(errors="replace").strip()


def prepare(root: Path, place: RunPlace, shown: Sequence[RunPlace]) -> None:
    """Make the folder anew, with a link to each run's output. Blocks."""
    folder = board_path(root, place)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("place.json", "log"):
        (folder / name).unlink(missing_ok=True)
    links = folder / "runs"
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir(mode=0o700)
    for run in shown:
        (links / run.word).symlink_to(root.joinpath(*run.names, "output"))


def note(root: Path, place: RunPlace, asked: Mapping[str, object]) -> None:
    """Write down what was asked for, whole or not at all. Blocks."""
    folder = board_path(root, place)
    half = folder / "asked.new"
    half.write_text(json.dumps(asked), encoding="utf-8")
    half.replace(folder / "asked.json")
