"""Folders of 65,000 and 800,000 files: a page, ours beside Jupyter's contents."""

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx2

from benchmarks.browse_agent import Browsed, jupyter, our_agent
from benchmarks.cluster import WORK, Say
from benchmarks.peer_venv import peer_python
from benchmarks.result import Figure, Goal, Result, machine

ABOUT: Final = "65,000 and 800,000 files in a folder: time of a page, and memory"
REQUIREMENTS: Final = ("jupyter_server==2.21.1",)
SIZES: Final = (65_000, 800_000)
MOST_FIRST_PAGE_MS: Final = 300.0
MOST_MB: Final = 60.0
PAGE: Final = 500
_TIMES: Final = 5
# The peer sends all of a folder at once; beyond this nobody waits.
_PATIENCE_S: Final = 300.0

Figures = dict[str, dict[str, float]]


def run(say: Say) -> Result:
    """Make the folders, ask both, take them away."""
    python = peer_python("jupyter-server", REQUIREMENTS, say)
    place = WORK / "browse"
    shutil.rmtree(place, ignore_errors=True)
    folder = place / "scratch" / "somebody"
    (folder / "kqi").mkdir(parents=True)
    figures: Figures = {}
    try:
        for size in SIZES:
            say(f"Making {size:,} files")
            _fill(folder / str(size), size)
        say("Asking the agent")
        with our_agent(folder) as agent:
            figures["agent"] = {"started_s": round(agent.started_s, 2)}
            for size in SIZES:
                figures[f"ours, {size:,}"] = _ours(agent, size)
        for size in SIZES:
            say(f"Asking Jupyter for {size:,}")
            figures[f"jupyter, {size:,}"] = _theirs(python, folder, size)
            figures[f"ls, {size:,}"] = _floor(folder / str(size))
    finally:
        say("Removing the files")
        shutil.rmtree(place)
    conditions = {
        **machine(),
        "page": f"{PAGE} entries; every figure the median of {_TIMES}, in ms",
        "peer": f"{REQUIREMENTS[0]}, GET api/contents: it sends the whole folder",
        "floor": "ls -f: all names read, none sorted, none told more of",
        "patience": f"{_PATIENCE_S:g} s; entries 0: it took longer",
        "memory": "the most the process ever had, in MB; Jupyter: one process a size",
    }
    return judge(figures, conditions)


def judge(
    figures: Mapping[str, Mapping[str, float]], conditions: dict[str, object]
) -> Result:
    small, large = (f"{size:,}" for size in SIZES)
    ours, huge = figures[f"ours, {small}"], figures[f"ours, {large}"]
    return Result(
        bench="browse",
        ours=Figure(f"first page of {small}, by name", ours["name_ms"], "ms"),
        peer=Figure(
            "Jupyter's contents", figures[f"jupyter, {small}"]["folder_ms"], "ms"
        ),
        floor=Figure("ls -f", figures[f"ls, {small}"]["names_ms"], "ms"),
        goals=(
            Goal.below(
                f"first page of {small}, ms", MOST_FIRST_PAGE_MS, ours["name_ms"]
            ),
            Goal.below(
                f"the agent's memory after {large}, MB", MOST_MB, huge["peak_mb"]
            ),
        ),
        conditions=conditions,
        details=figures,
    )


def _fill(folder: Path, count: int) -> None:
    """Make empty files, in no order of their names."""
    folder.mkdir()
    place = os.open(folder, os.O_RDONLY)
    for number in range(count):
        name = f"sample_{number * 7919 % count:07}.jpg"
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=place))
    os.close(place)


def _ours(agent: Browsed, size: int) -> dict[str, float]:
    begin = f"files/list?path={size}&limit={PAGE}"
    _, first = agent.ask(begin, _PATIENCE_S)
    asked = {
        "name_ms": begin,
        "next_ms": f"{begin}&after={first['next']}",
        "filter_ms": f"{begin}&filter=*123.jpg",
        "time_ms": f"{begin}&sort=time&order=down",
        "size_ms": f"{begin}&sort=size",
    }
    found = {name: _median(agent, path) for name, path in asked.items()}
    return {**found, "peak_mb": round(agent.peak_mb(), 1)}


def _median(agent: Browsed, path: str) -> float:
    took = [agent.ask(path, _PATIENCE_S)[0] for _ in range(_TIMES)]
    return round(statistics.median(took), 1)


def _theirs(python: Path, folder: Path, size: int) -> dict[str, float]:
    with jupyter(python, folder) as server:
        took = []
        for _ in range(_TIMES if size == SIZES[0] else 1):
            try:
                spent, said = server.ask(f"contents/{size}?content=1", _PATIENCE_S)
            except httpx2.TimeoutException:
                # Longer than this; what it had taken by then is told all the same.
                spent, said = _PATIENCE_S * 1000, {"content": []}
            took.append(spent)
        return {
            "folder_ms": round(statistics.median(took), 1),
            "entries": len(said["content"]),
            "peak_mb": round(server.peak_mb(), 1),
        }


def _floor(folder: Path) -> dict[str, float]:
    took = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        subprocess.run(["ls", "-f", folder], check=True, stdout=subprocess.DEVNULL)
        took.append((time.perf_counter() - began) * 1000)
    return {"names_ms": round(statistics.median(took), 1)}
