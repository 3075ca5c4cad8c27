"""What a piece of work costs: wall time, and CPU of this process and its children."""

import os
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass
class Usage:
    """Milliseconds, filled in when the work is done."""

    wall_ms: float = 0.0
    own_cpu_ms: float = 0.0
    children_cpu_ms: float = 0.0

    @property
    def cpu_ms(self) -> float:
        return self.own_cpu_ms + self.children_cpu_ms


@contextmanager
def measured() -> Iterator[Usage]:
    """Measure a block; children count when they have ended and were waited for."""
    usage = Usage()
    began = time.perf_counter()
    own, children = _cpu_ms(resource.RUSAGE_SELF), _cpu_ms(resource.RUSAGE_CHILDREN)
    yield usage
    usage.wall_ms = (time.perf_counter() - began) * 1000
    usage.own_cpu_ms = _cpu_ms(resource.RUSAGE_SELF) - own
    usage.children_cpu_ms = _cpu_ms(resource.RUSAGE_CHILDREN) - children


def typical(usages: Sequence[Usage]) -> dict[str, float]:
    """Return the medians."""
    return {
        "wall_ms": round(median(one.wall_ms for one in usages), 1),
        "cpu_ms": round(median(one.cpu_ms for one in usages), 1),
        "own_cpu_ms": round(median(one.own_cpu_ms for one in usages), 1),
        "children_cpu_ms": round(median(one.children_cpu_ms for one in usages), 1),
    }


def memory_mb(pid: int | str = "self", key: str = "VmRSS") -> float:
    """Return the resident memory of a process, or its peak with `VmHWM`."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise ValueError(f"process {pid} has no {key}")


def process_cpu_ms(pid: int) -> float:
    """Return the CPU that another process has used so far, with ended children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) * 1000 / os.sysconf("SC_CLK_TCK")


def _cpu_ms(who: int) -> float:
    used = resource.getrusage(who)
    return (used.ru_utime + used.ru_stime) * 1000
