"""The measuring half of `./bench snapshot`; runs inside the cluster, a process a way.

    python -m benchmarks.snapshot_inside WAY POLLS

Each WAY looks at nodes, queues and jobs POLLS times; between two looks one job in a
hundred changes. The last line on stdout is JSON.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.slurm_load import PERSON, Rest
from benchmarks.usage import Usage, measured, memory_mb, process_cpu_ms, typical
from kqi_hub.domain.cluster import Reading
from kqi_hub.services.snapshot import take_reading
from kqi_hub.slurm.commands import environment
from kqi_hub.slurm.reader import CliReader
from kqi_hub.slurm.runner import Programs

CHANGING_SHARE = 100
Poll = Callable[[], Awaitable[int]]
ENVIRONMENT = environment(None)


class Ours:
    """The worker's reading, kept as the worker keeps it."""

    def __init__(self) -> None:
        self._reader = CliReader("demo", Programs(Path("/usr/bin"), ENVIRONMENT, 60))
        self._reading: Reading | None = None

    async def poll(self) -> int:
        self._reading = await take_reading(self._reader, time.time)
        return len(self._reading.jobs)


async def poll_json() -> int:
    """Look with what Slurm 22.05 has of JSON, and text for queues, which it has not."""
    nodes = json.loads(output_of("sinfo", "--json").decode(errors="replace"))
    partitions = [
        dict(field.partition("=")[::2] for field in line.split())
        for line in output_of("scontrol", "-o", "show", "partition")
        .decode()
        .splitlines()
    ]
    jobs = json.loads(output_of("squeue", "--json").decode(errors="replace"))
    return len(jobs["jobs"]) if nodes["nodes"] and partitions else -1


async def poll_floor() -> int:
    """Ask for the same three answers and print next to nothing of them."""
    output_of("sinfo", "-h", "-a", "-o", "%D")  # loads nodes and queues
    jobs = output_of("squeue", "-h", "-a", "-t", "all", "--array-unique", "-o", "%i")
    return jobs.count(b"\n")


class OverRest:
    """slurmrestd's answers, parsed and not kept."""

    def __init__(self) -> None:
        self._rest = Rest("root")

    async def poll(self) -> int:
        answers = {
            path: json.loads(self._rest.get(path).decode(errors="replace"))
            for path in ("/nodes", "/partitions", "/jobs")
        }
        return len(answers["/jobs"]["jobs"])


def output_of(*argv: str) -> bytes:
    """Run a program of Slurm's as ours are run."""
    return subprocess.run(
        argv, env=ENVIRONMENT, stdout=subprocess.PIPE, check=True
    ).stdout


def pid_of(program: str) -> int:
    """Return the process of a service of the cluster."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (entry / "comm").read_text().strip() == program:
            return int(entry.name)
    raise LookupError(f"{program} does not run")


def change_some(turn: int) -> None:
    """Hold or release one waiting job in a hundred, as somebody else would."""
    ids = output_of(
        "squeue", "-h", "-t", "PD", "-u", PERSON, "-S", "i", "-o", "%i"
    ).split()
    chosen = [job_id.decode() for job_id in ids[::CHANGING_SHARE]]
    if chosen:
        action = "release" if turn % 2 == 0 else "hold"
        subprocess.run(["scontrol", action, ",".join(chosen)], check=True)
        time.sleep(0.5)  # the scheduler looks at them once


class Daemons:
    """CPU that Slurm's own daemons use while they are looked at."""

    def __init__(self) -> None:
        self.pids = {name: pid_of(name) for name in ("slurmctld", "slurmrestd")}
        self.cpu_ms = dict.fromkeys(self.pids, 0.0)
        self._before: dict[str, float] = {}

    def __enter__(self) -> None:
        self._before = {name: process_cpu_ms(pid) for name, pid in self.pids.items()}

    def __exit__(self, *_: object) -> None:
        for name, pid in self.pids.items():
            self.cpu_ms[name] += process_cpu_ms(pid) - self._before[name]


async def look_repeatedly(
    poll: Poll, polls: int, daemons: Daemons
) -> tuple[list[Usage], int]:
    """Poll as often as asked; return what each look cost and how many jobs it saw."""
    usages, jobs = [], 0
    for turn in range(polls):
        with daemons, measured() as usage:
            jobs = await poll()
        usages.append(usage)
        change_some(turn)
    return usages, jobs


def main(way: str, polls: str) -> None:
    """Measure one way and print the figures."""
    ways: dict[str, Callable[[], Poll]] = {
        "ours": lambda: Ours().poll,
        "json": lambda: poll_json,
        "floor": lambda: poll_floor,
        "rest": lambda: OverRest().poll,
    }
    poll, daemons = ways[way](), Daemons()
    usages, jobs = asyncio.run(look_repeatedly(poll, int(polls), daemons))
    figures = {
        "jobs": jobs,
        "first": typical(usages[:1]),
        "steady": typical(usages[1:] or usages),
        "memory_peak_mb": memory_mb(key="VmHWM"),
        "slurmctld_cpu_ms": round(daemons.cpu_ms["slurmctld"] / len(usages), 1),
        "slurmrestd_cpu_ms": round(daemons.cpu_ms["slurmrestd"] / len(usages), 1),
        "slurmrestd_memory_mb": memory_mb(daemons.pids["slurmrestd"]),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
