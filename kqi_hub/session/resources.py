"""What the job uses of what it was given: processor and memory of its processes."""

import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kqi_hub.session.processes import PROC, Process, below, own_processes

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_TIGHT: Final = 0.9
_MB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Given:
    """What Slurm gave; None where it does not say."""

    cores: int | None
    memory: int | None


def given(environ: Mapping[str, str]) -> Given:
    """Return what the job was given, from Slurm's variables."""
    cores = _number(environ.get("SLURM_CPUS_ON_NODE", ""))
    per_node = _number(environ.get("SLURM_MEM_PER_NODE", ""))
    per_cpu = _number(environ.get("SLURM_MEM_PER_CPU", ""))
    if per_node is None and per_cpu is not None and cores is not None:
        per_node = per_cpu * cores
    return Given(cores, None if per_node is None else per_node * _MB)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and int(text) > 0 else None


@dataclass(frozen=True, slots=True)
class Use:
    """What is used at a moment; the cores since the moment before."""

    cores: float
    memory: int


class Meter:
    """Measures the session's processes, and remembers the last time."""

    def __init__(self, top: int, proc: Path = PROC) -> None:
        self._top, self._proc = top, proc
        self._before: Mapping[int, Process] = {}
        self._at = 0.0
        self._last = Use(0.0, 0)

    def measure(self) -> Use:
        """Return the use since the last look; looks within a second are one."""
        now = time.monotonic()
        if now - self._at < 1.0:
            return self._last
        everything = own_processes(self._proc)
        pids = below({self._top}, everything) | {self._top}
        own = {pid: everything[pid] for pid in pids if pid in everything}
        ticks = sum(_spent(own[pid], self._before.get(pid)) for pid in own)
        elapsed = now - self._at if self._before else 0.0
        cores = ticks / _TICKS_PER_S / elapsed if elapsed else 0.0
        self._before, self._at = own, now
        self._last = Use(cores, _memory(own, self._proc))
        return self._last


def _spent(process: Process, before: Process | None) -> int:
    if before is None or before.key != process.key:
        return process.ticks
    return process.ticks - before.ticks


def _memory(pids: Collection[int], proc: Path) -> int:
    """Return what they hold; pages that several share are counted by their share."""
    total = 0
    for pid in pids:
        try:
            text = (proc / str(pid) / "smaps_rollup").read_text(encoding="ascii")
            total += _proportional(text)
        except (OSError, ValueError):
            total += _resident(pid, proc)
    return total


def _proportional(text: str) -> int:
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no line says Pss")


def _resident(pid: int, proc: Path) -> int:
    try:
        words = (proc / str(pid) / "statm").read_text(encoding="ascii").split()
    except OSError:
        return 0  # it has ended meanwhile
    return int(words[1]) * _PAGE if len(words) > 1 else 0


def told(use: Use, limits: Given, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return what pages and scripts are told."""
    cores = f"{use.cores:.1f}"
    memory = _size(use.memory)
    if limits.cores is not None:
        cores = _filled(texts["of_cores"], cores, str(limits.cores))
    if limits.memory is not None:
        memory = _filled(texts["of_memory"], memory, _size(limits.memory))
    is_tight = limits.memory is not None and use.memory > limits.memory * _TIGHT
    return {
        "cores": round(use.cores, 2),
        "cores_given": limits.cores,
        "memory": use.memory,
        "memory_given": limits.memory,
        "is_tight": is_tight,
        "line": f"{texts['cpu']} {cores} · {texts['memory']} {memory}",
        "title": texts["resources"],
    }


def _filled(text: str, used: str, asked: str) -> str:
    return text.replace("{used}", used).replace("{asked}", asked)


def _size(size: int) -> str:
    return (
        f"{size / _MB:.0f} MB" if size < 1024 * _MB else f"{size / 1024 / _MB:.1f} GB"
    )
