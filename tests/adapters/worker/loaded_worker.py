"""Run as a program: a poller over a big synthetic cluster.

With a folder: print what six looks cost. With a folder and `for-ever`: go on looking.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from kqi_hub.db import schema
from kqi_hub.db.engine import make_engine
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.cluster import GpuCount, Node, Partition
from kqi_hub.domain.job import Job
from kqi_hub.services.polling import PollRules
from kqi_hub.worker.journal import Journal
from kqi_hub.worker.poller import Poller
from tests.fakes.slurm_reader import ScriptedReader

JOBS, NODES, LOOKS = 10_000, 2_000, 6


def big_job(number: int, look: int) -> Job:
    """Make a job whose text is its own, as if it had just been parsed."""
    return Job(
        job_id=number,
        name=f"training-of-network-{number}",
        user=f"person{number % 500}",
        account=f"tenant{number % 40}",
        partition=f"queue{number % 8}",
        qos="normal",
        state="RUNNING" if number % 3 else "PENDING",
        reason="None" if number % 3 else "Resources",
        submitted_at=1_790_000_000 + number,
        starts_at=1_790_000_500 + number,
        time_limit_s=86_400,
        priority=1000 + look,
        nodes=1,
        cpus=16,
        memory="64G",
        gres="gpu:a100:2",
        node_list=f"node{number % NODES:04}",
        comment=f"kqi {number}",
    )


def big_node(number: int, look: int) -> Node:
    gpus = (GpuCount("a100", 8, (number + look) % 8),)
    name, memory = f"node{number:04}", 1_024_000
    return Node(name, "mixed", (), ("queue1", "all"), 128, 64, memory, 0, gpus)


class BigReader(ScriptedReader):
    """Tell of as many jobs as a big site has, most of them changed since."""

    look = 0

    async def nodes(self) -> tuple[Node, ...]:
        look = self.look
        return await asyncio.to_thread(
            lambda: tuple(big_node(number, look) for number in range(NODES))
        )

    async def partitions(self) -> tuple[Partition, ...]:
        names = tuple(f"node{number:04}" for number in range(NODES))
        return (Partition("all", "UP", names, True, None, None, None, False, True),)

    async def jobs(self) -> tuple[Job, ...]:
        self.look += 1
        look = self.look
        return await asyncio.to_thread(
            lambda: tuple(big_job(number, look) for number in range(1, JOBS + 1))
        )


async def longest_pause(gaps: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        gaps.append(time.perf_counter() - before - 0.005)


def peak_memory_mb() -> float:
    """Return the most that this program held; getrusage would count its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def measure(store: SqlSnapshotStore) -> dict[str, float]:
    reader = BigReader()
    poller = Poller(reader, store, PollRules(), Journal())
    gaps: list[float] = []
    ticker = asyncio.create_task(longest_pause(gaps))
    walls = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        await poller.look()
        walls.append(time.perf_counter() - began)
    ticker.cancel()
    peak_mb = peak_memory_mb()
    return {
        "peak_mb": round(peak_mb, 1),
        "longest_look_s": round(max(walls), 3),
        "longest_pause_ms": round(max(gaps) * 1000, 1),
        "late_ticks": sum(gap > 0.05 for gap in gaps) / len(gaps),
        "jobs": len(store.live_jobs()),
        "looks": store.freshness().sequence,
    }


async def look_for_ever(store: SqlSnapshotStore) -> None:
    poller = Poller(BigReader(), store, PollRules(), Journal())
    while True:
        await poller.look()


def main(folder: str, *mode: str) -> None:
    url = f"sqlite:///{Path(folder) / 'kqi.sqlite'}"
    schema.upgrade(make_engine(url, create=True))
    store = SqlSnapshotStore(make_engine(url), "big")
    if mode:
        asyncio.run(look_for_ever(store))
    print(json.dumps(asyncio.run(measure(store))))  # noqa: T201  read by the test


if __name__ == "__main__":
    main(*sys.argv[1:])
