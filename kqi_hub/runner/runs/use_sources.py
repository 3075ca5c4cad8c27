"""What a job has used so far: by its cgroup, or by the processes below this one."""

import os
import resource
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from kqi_hub.runner.runs.processes import descendants

_MB: Final = 1024 * 1024
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = resource.getpagesize()
_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Taken:
    """CPU seconds since this job's beginning, and memory in MB right now."""

    cpu_s: float
    memory_mb: float


class Source(Protocol):
    """Where figures come from; `name` is what people are told of it."""

    name: str

    def read(self) -> Taken:
        """Return what is used; OSError or ValueError where it cannot be read."""


class Processes:
    """Everything that descends from this process, with what has ended meanwhile.

    Memory is the sum of what each process holds: shared pages count more than once.
    """

    name = "processes"

    def __init__(self) -> None:
        self._before = _children_s()
        self._most_cpu_s = 0.0

    def read(self) -> Taken:
        """Return what they use."""
        cpu_s, memory = _children_s() - self._before, 0
        for pid in descendants(os.getpid(), with_zombies=True):
            # Whoever ends while we look is counted by its parent the next time.
            with suppress(OSError, ValueError):
                ticks, pages = _of_process(pid)
                cpu_s += ticks / _TICKS
                memory += pages * _PAGE
        self._most_cpu_s = max(self._most_cpu_s, cpu_s)
        return Taken(self._most_cpu_s, memory / _MB)


class CgroupTwo:
    """The cgroup of a Slurm job, version 2: all steps of the job on this node."""

    name = "cgroup v2"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> Taken:
        """Return what the group uses; pages that only hold files are none."""
        cpu = _table(self._folder / "cpu.stat")
        memory = _table(self._folder / "memory.stat")
        used = memory["anon"] + memory.get("shmem", 0)
        return Taken(cpu["usage_usec"] / 1e6, used / _MB)


class CgroupOne:
    """The cgroups of a Slurm job, version 1, where accounting and memory are apart."""

    name = "cgroup v1"

    def __init__(self, cpu: Path, memory: Path) -> None:
        self._cpu, self._memory = cpu, memory

    def read(self) -> Taken:
        """Return what the groups use."""
        nanoseconds = int((self._cpu / "cpuacct.usage").read_text())
        memory = _table(self._memory / "memory.stat")
        used = memory["total_rss"] + memory.get("total_shmem", 0)
        return Taken(nanoseconds / 1e9, used / _MB)


def source_of(environ: Mapping[str, str], proc: Path = _PROC / "self") -> Source:
    """Return the best source there is for this job; it has been read once."""
    job = environ.get("SLURM_JOB_ID", "")
    with suppress(OSError, ValueError, KeyError):
        for one in _cgroups(proc, f"job_{job}") if job.isdecimal() else ():
            with suppress(OSError, ValueError, KeyError):
                one.read()
                return one
    return Processes()


def _cgroups(proc: Path, job: str) -> Iterator[Source]:
    """Yield the groups of a job: a group that others share would tell of them."""
    mounts = _mounts(proc)
    places: dict[str, Path] = {}
    for line in (proc / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        parts = Path(path).parts
        if job not in parts:
            continue
        own = Path(*parts[: parts.index(job) + 1])
        for controller in controllers.split(","):
            root, top = mounts.get(controller, (Path("/"), None))
            if top is not None and own.is_relative_to(root):
                places[controller] = top / own.relative_to(root)
    if "" in places:
        yield CgroupTwo(places[""])
    if "cpuacct" in places and "memory" in places:
        yield CgroupOne(places["cpuacct"], places["memory"])


def _mounts(proc: Path) -> dict[str, tuple[Path, Path]]:
    """Return by controller which part of its tree is mounted where; v2 has no name."""
    found: dict[str, tuple[Path, Path]] = {}
    for line in (proc / "mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        names = [""] if kind == "cgroup2" else options.split(",")
        if kind in {"cgroup", "cgroup2"}:
            root, top = before.split(" ")[3:5]
            found |= {name: (Path(root), Path(top)) for name in names}
    return found


def _table(file: Path) -> dict[str, int]:
    """Read lines of a name and a number."""
    lines = (line.split() for line in file.read_text().splitlines())
    return {name: int(value) for name, value in lines}


def _of_process(pid: int) -> tuple[int, int]:
    """Return its ticks, with those of its ended children, and its pages."""
    raw = (_PROC / str(pid) / "stat").read_bytes()
    # The name, in brackets, may have anything in it.
    fields = raw[raw.rindex(b")") + 1 :].split()
    return sum(map(int, fields[11:15])), int(fields[21])


def _children_s() -> float:
    """Return the CPU seconds of all that has ended below this process."""
    times = os.times()
    return times.children_user + times.children_system
