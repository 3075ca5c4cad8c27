"""Read a year of finished jobs one way; runs inside the cluster, as root.

    python -m benchmarks.ingest_inside (ours | tick | floor) FOLDER

The last line on stdout is JSON.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from statistics import median
from typing import Final

from sqlalchemy import func, select

from benchmarks.ingest_history import CLUSTER, DAY_S, DAYS
from benchmarks.usage import measured, memory_mb
from kqi_hub.bootstrap.intake import expect_many_rows
from kqi_hub.db import schema
from kqi_hub.db.engine import make_engine, reading
from kqi_hub.db.job_records import RECORDS, SqlJobRecords
from kqi_hub.db.ledger import LEDGER, SqlBook
from kqi_hub.db.node_shapes import SqlNodeShapes
from kqi_hub.db.rate_cards import SqlRateCards
from kqi_hub.domain.rate_cards import CardLine, RateCard
from kqi_hub.domain.rate_ports import NewCard, Standing
from kqi_hub.domain.rate_writing import write_document
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.services.intake import Intake
from kqi_hub.services.shape_watch import ShapeWatch
from kqi_hub.slurm import commands
from kqi_hub.slurm.reader import CliReader
from kqi_hub.slurm.rows import Tokens
from kqi_hub.slurm.runner import Programs
from kqi_hub.slurm.usage_reader import CliUsageReader

ZONE: Final = "Asia/Tokyo"
TICKS: Final = 5
# One read is as many rows as the portal asks for at once.
STEP_S: Final = 30 * DAY_S
PROGRAMS: Final = Programs(Path("/usr/bin"), commands.environment(None), 600)
CARD: Final = RateCard(
    0,
    0,
    (
        CardLine("a100", cpu=10_000, gpu=2_500_000, whole_node=True),
        CardLine("v100", cpu=10_000, gpu=900_000, whole_node=True),
        CardLine("cpu", cpu=31_337, memory_gb=777),
    ),
)


class Portal:
    """The portal's part in accounting on a database of its own."""

    def __init__(self, folder: str) -> None:
        url = f"sqlite:///{folder}/kqi.sqlite"
        self.engine = make_engine(url, create=True)
        schema.upgrade(self.engine)
        self.days = SiteDays(ZONE)
        book = SqlBook(self.engine, CLUSTER, self.days)
        self.records = SqlJobRecords(self.engine, CLUSTER, book)
        reader = CliUsageReader(PROGRAMS)
        self.intake = Intake(reader, self.records, self.days, time.time)

    async def open(self) -> None:
        nodes = await CliReader(CLUSTER, PROGRAMS).nodes()
        shapes = SqlNodeShapes(self.engine, CLUSTER)
        await ShapeWatch(lambda: nodes, shapes, time.time).note()
        cards = SqlRateCards(self.engine, CLUSTER, self.days, lambda _: None)
        card = NewCard(0, write_document(CARD, ZONE, "JPY"), "bench")
        cards.publish(card, Standing(), time.time())

    def counts(self) -> dict[str, int]:
        with reading(self.engine) as connection:
            records = connection.scalar(select(func.count()).select_from(RECORDS))
            lines = connection.scalar(select(func.count()).select_from(LEDGER))
        return {"records": int(records or 0), "lines": int(lines or 0)}


async def ours(folder: str) -> dict[str, float]:
    """Take the whole history in: read, keep, charge, sum."""
    expect_many_rows()
    portal = Portal(folder)
    await portal.open()
    with measured() as usage:
        await portal.intake.tick()
        while not portal.records.progress().is_whole:
            await portal.intake.fill_back(240)
    return told(usage.wall_ms, usage.own_cpu_ms) | portal.counts()


async def tick(folder: str) -> dict[str, float]:
    """Take in what is new, five times, when all is known."""
    portal = Portal(folder)
    walls, cpus, rows = [], [], 0
    for _ in range(TICKS):
        with measured() as usage:
            rows = (await portal.intake.tick()).read
        walls.append(usage.wall_ms)
        cpus.append(usage.own_cpu_ms)
    return told(median(walls), median(cpus)) | {"rows": rows}


async def floor(folder: str) -> dict[str, float]:
    """Let sacct print the same rows, and count their bytes."""
    size = 0
    with measured() as usage:
        for since, until in windows():
            question = commands.usage_between(since, until, Tokens("\t", "\n"))
            async with aclosing(PROGRAMS.follow(question, 1 << 20)) as pieces:
                async for piece in pieces:
                    size += len(piece)
    return told(usage.wall_ms, usage.own_cpu_ms) | {"megabytes": size / 1e6}


def windows() -> Iterator[tuple[int, int]]:
    """Yield the year in the steps in which the floor and the peer read it."""
    until = int(time.time())
    ends = until - (DAYS + 2) * DAY_S
    while until > ends:
        yield max(ends, until - STEP_S), until
        until -= STEP_S


def told(wall_ms: float, cpu_ms: float) -> dict[str, float]:
    """Return the figures of a way, in seconds."""
    return {
        "wall_s": round(wall_ms / 1000, 2),
        "own_cpu_s": round(cpu_ms / 1000, 2),
        "memory_peak_mb": memory_mb(key="VmHWM"),
    }


def questions() -> list[list[str]]:
    """Return the command lines by which the peer asks for the same rows."""
    return [
        list(commands.usage_between(since, until, Tokens("\t", "\n")))
        for since, until in windows()
    ]


def main(way: str, folder: str) -> None:
    """Measure one way and print the figures."""
    if way == "peer":
        python, script = folder.split(":")
        given = json.dumps([questions(), list(commands.USAGE_FIELDS)])
        ran = subprocess.run(
            [python, script],
            input=given,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env=commands.environment(None),
        )
        print(ran.stdout.splitlines()[-1])
        return
    ways = {"ours": ours, "tick": tick, "floor": floor}
    print(json.dumps(asyncio.run(ways[way](folder))))


if __name__ == "__main__":
    main(*sys.argv[1:])
