"""A real history of jobs, taken in from the real sacct: records, seconds and money.

What is expected is counted here once more, from the rows as sacct prints them and from
slurmdbd's own table of suspensions.
"""

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from kqi_hub.db import schema
from kqi_hub.db.engine import make_engine, reading
from kqi_hub.db.job_records import SqlJobRecords
from kqi_hub.db.ledger import LEDGER, SqlBook
from kqi_hub.db.node_shapes import SqlNodeShapes
from kqi_hub.db.rate_cards import SqlRateCards
from kqi_hub.domain.errors import ClusterUnreachable
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.rate_cards import CardLine, RateCard
from kqi_hub.domain.rate_ports import NewCard, Standing
from kqi_hub.domain.rate_writing import write_document
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.services.intake import Intake
from kqi_hub.services.shape_watch import ShapeWatch
from kqi_hub.services.suspensions import Suspensions
from kqi_hub.slurm.commands import environment
from kqi_hub.slurm.runner import Programs
from kqi_hub.slurm.usage_reader import CliUsageReader
from tests.cluster.slurm_jobs import (
    sacct,
    sbatch,
    scancel,
    squeue,
    wait_for_end,
    wait_for_state,
)
from tests.cluster.slurm_lab import CLUSTER, only_inside, open_cluster, sbatch_as_alice
from tests.cluster.stack import Stack, run_as, wait_until

pytestmark = only_inside

SMALL = ("-A", "vision", "-p", "cpu", "-n1", "--mem=100")
FIELDS = (
    "JobIDRaw,Submit,JobID,Account,Partition,State,Start,End,ElapsedRaw,AllocTRES,"
    "NodeList"
)
CARD = RateCard(
    0,
    0,
    (
        CardLine("a100", memory_gb=1000, gpu=2_500_000, whole_node=True),
        CardLine("cpu", cpu=31_337, memory_gb=777),
    ),
)


def control(*words: str) -> None:
    ran = run_as("root", "scontrol", *words)
    assert ran.returncode == 0, ran.stderr


def output_of_node(name: str) -> str:
    return run_as("root", "sinfo", "-hN", "-n", name, "-o", "%T").stdout.upper()


@dataclass(frozen=True)
class History:
    """The jobs of this test by what happened to them, and what sacct says of them."""

    jobs: dict[str, int]
    began: int
    ended: int

    @property
    def rows(self) -> dict[tuple[int, int], dict[str, str]]:
        """Return sacct's rows of runs that are over, by job and submit time."""
        window = (
            f"--starttime={_moment(self.began)}",
            f"--endtime={_moment(self.ended)}",
        )
        ran = subprocess.run(
            ["sacct", "-XDanP", "--noconvert", f"--format={FIELDS}", *window],
            env=environment(None),
            capture_output=True,
            text=True,
            check=True,
        )
        rows = [
            dict(zip(FIELDS.split(","), line.split("|"), strict=True))
            for line in ran.stdout.splitlines()
        ]
        over = [row for row in rows if row["End"] != "Unknown"]
        return {(int(row["JobIDRaw"]), int(row["Submit"])): row for row in over}

    def runs(self, what: str) -> list[dict[str, str]]:
        """Return the rows of one of the jobs, the first run first."""
        found = self.rows
        return [found[key] for key in sorted(found) if key[0] == self.jobs[what]]


def _moment(epoch: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(epoch))


def _suspended_and_resumed(job: int) -> None:
    control("suspend", str(job))
    time.sleep(6)
    control("resume", str(job))
    time.sleep(3)
    control("suspend", str(job))
    time.sleep(4)
    control("resume", str(job))
    time.sleep(2)
    scancel(job)


@pytest.fixture(scope="module")
def history() -> Iterator[History]:
    """Let jobs go through everything that may happen to them."""
    began = int(time.time()) - 1
    jobs = {
        "timeout": sbatch("alice", *SMALL, "-t", "1", wrap="exec sleep 600"),
        "fine": sbatch("alice", *SMALL, wrap="sleep 3"),
        "failed": sbatch("bob", "-A", "nlp", "-p", "cpu", "--mem=150", wrap="exit 3"),
        "requeued": sbatch("alice", *SMALL, "--requeue", wrap="exec sleep 600"),
        "suspended": sbatch("alice", *SMALL, wrap="exec sleep 600"),
        "node gone": sbatch(
            "alice", *SMALL, "--no-requeue", "-w", "cpu02", wrap="exec sleep 600"
        ),
        "exclusive": sbatch(
            "alice", "-A", "vision", "-p", "a100", "-n1", "--mem=1000",
            "--gres=gpu:a100:1", wrap="sleep 4",
        ),
        "array": sbatch("alice", *SMALL, "--array=0-2", wrap="sleep 1"),
        "mixed": sbatch("alice", *SMALL, ":", *SMALL[2:], "-n2", wrap="sleep 2"),
        "held": sbatch("alice", *SMALL, "--hold"),
        "odd": sbatch_as_alice(
            *SMALL, "-o/dev/null", b"--job-name=\nx|1|\x1f'; --", "--wrap=sleep 1"
        ),
    }  # fmt: skip
    try:
        _happen(jobs)
        yield History(jobs, began, int(time.time()))
    finally:
        scancel(*jobs.values())


def _happen(jobs: dict[str, int]) -> None:
    scancel(jobs["held"])
    for name in ("requeued", "suspended", "node gone", "timeout"):
        wait_for_state(jobs[name], "RUNNING")
    # Nobody else's job fits beside it: it waits, may start, and is cancelled.
    jobs["waited"] = sbatch(
        "alice", "-A", "vision", "-p", "cpu", "-N2", "--exclusive", "--mem=100"
    )
    time.sleep(2)
    control("requeue", str(jobs["requeued"]))
    wait_for_state(jobs["requeued"], "PENDING")
    scancel(jobs["waited"])
    wait_until(lambda: squeue(jobs["requeued"], "%T") == "PENDING", 20)
    # A node refuses what starts anew in the second in which its run before ended
    # ("Job credential revoked"): Slurm itself lets two minutes go by.
    time.sleep(2)
    control("update", f"JobId={jobs['requeued']}", "StartTime=now")
    _suspended_and_resumed(jobs["suspended"])
    control("update", "NodeName=cpu02", "State=DOWN", "Reason=test")
    wait_for_end(jobs["node gone"])
    # The demo's nodes come back by themselves as soon as they answer.
    wait_until(lambda: "DOWN" not in output_of_node("cpu02"), 60)
    wait_for_state(jobs["requeued"], "RUNNING")
    time.sleep(2)
    scancel(jobs["requeued"])
    wait_until(lambda: "TIMEOUT" in sacct(jobs["timeout"], "state"), 150)
    wait_until(lambda: not any("Unknown" in sacct(one, "end") for one in jobs.values()))


class Lab:
    """A portal's part in accounting on a database of its own."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = make_engine(url, create=True)
        schema.upgrade(self.engine)
        self.days = SiteDays("UTC")
        self.reader = CliUsageReader(Programs(Path("/usr/bin"), environment(None)))
        book = SqlBook(self.engine, CLUSTER, self.days)
        self.records = SqlJobRecords(self.engine, CLUSTER, book)
        self.intake = Intake(self.reader, self.records, self.days, time.time)

    async def open(self) -> None:
        nodes = await open_cluster().nodes()
        shapes = SqlNodeShapes(self.engine, CLUSTER)
        assert await ShapeWatch(lambda: nodes, shapes, time.time).note()
        document = write_document(CARD, "UTC", "JPY")
        cards = SqlRateCards(self.engine, CLUSTER, self.days, lambda _: None)
        cards.publish(NewCard(0, document, "tester"), Standing(), time.time())

    def lines(self) -> dict[int, tuple[int, ...]]:
        """Return by record: seconds, CPU, GPU and MB seconds, amount."""
        c = LEDGER.c
        sums = [
            func.sum(x) for x in (c.seconds, c.cpu_s, c.gpu_s, c.memory_mb_s, c.amount)
        ]
        with reading(self.engine) as connection:
            rows = connection.execute(select(c.record_id, *sums).group_by(c.record_id))
            return {row[0]: tuple(map(int, row[1:])) for row in rows}

    def all(self) -> dict[tuple[int, int], tuple[int, JobRecord]]:
        found = self.records.ended_since(0, 0, 100_000)
        return {one.record.key: (one.id, one.record) for one in found}


@pytest.fixture
async def lab(tmp_path: Path) -> Lab:
    lab = Lab(f"sqlite:///{tmp_path}/kqi.sqlite")
    await lab.open()
    return lab


def amount(tres: str, name: str) -> int:
    """Return how much of something a job had, by sacct's own words."""
    pairs = dict(entry.split("=") for entry in tres.split(",") if entry)
    return int(pairs.get(name, "0").removesuffix("M"))


def cost(row: dict[str, str]) -> int:
    """Count a run's price from sacct's row: whole seconds, rounded once."""
    seconds, tres = int(row["ElapsedRaw"]), row["AllocTRES"]
    if row["Partition"] == "a100":
        hour = 8 * 2_500_000 + 1000 * 1000  # the node's, with its 1000 GB
    else:
        memory = amount(tres, "mem")
        hour = amount(tres, "cpu") * 31_337 + _rounded(memory * 777, 1024)
    return _rounded(hour * seconds, 3600)


def _rounded(value: int, by: int) -> int:
    return (2 * value + by) // (2 * by)


async def test_every_run_is_a_record_as_sacct_tells_it(
    lab: Lab, history: History
) -> None:
    await lab.intake.tick()
    kept, rows = lab.all(), history.rows
    assert set(rows) <= set(kept)
    for key, row in rows.items():
        record = kept[key][1]
        never = row["NodeList"] == "None assigned"
        assert record.shown_id == row["JobID"]
        assert record.state == row["State"].split()[0]
        assert record.ended_at == int(row["End"])
        assert record.started_at == (None if never else int(row["Start"]))
        used = 0 if never else int(row["End"]) - int(row["Start"]) - record.suspended_s
        assert used == int(row["ElapsedRaw"])
        assert (record.cpus, record.memory_mb) == (
            (record.cpus, 0)
            if never
            else (amount(row["AllocTRES"], "cpu"), amount(row["AllocTRES"], "mem"))
        )


async def test_the_book_is_what_sacct_s_rows_come_to(
    lab: Lab, history: History
) -> None:
    await lab.intake.tick()
    kept, lines = lab.all(), lab.lines()
    seconds: Counter[str] = Counter()
    booked: Counter[str] = Counter()
    for key, row in history.rows.items():
        used = int(row["ElapsedRaw"])
        found = lines.get(kept[key][0], (0, 0, 0, 0, 0))
        assert found[0] == used, row
        assert found[1] == used * amount(row["AllocTRES"], "cpu"), row
        assert found[2] == used * amount(row["AllocTRES"], "gres/gpu"), row
        assert found[4] == cost(row), row
        seconds[row["Account"]] += used
        booked[row["Account"]] += found[0]
    assert booked == seconds
    assert seconds["vision"] > 60


async def test_what_happened_is_there(lab: Lab, history: History) -> None:
    await lab.intake.tick()
    states = {name: [row["State"].split()[0] for row in history.runs(name)]
              for name in history.jobs}  # fmt: skip
    assert states["fine"] == ["COMPLETED"]
    assert states["failed"] == ["FAILED"]
    assert states["requeued"] == ["REQUEUED", "CANCELLED"]
    assert states["suspended"] == ["CANCELLED"]
    assert states["node gone"] == ["NODE_FAIL"]
    assert states["timeout"] == ["TIMEOUT"]
    assert states["waited"] == ["CANCELLED"]
    # It was never eligible: no window of sacct's tells of it, and it costs nothing.
    assert states["held"] == []
    assert lab.records.runs_of(history.jobs["held"]) == []
    # Both runs of one that went back into its queue were used, and are paid for.
    first, second = history.runs("requeued")
    assert int(first["ElapsedRaw"]) > 0
    assert int(second["ElapsedRaw"]) > 0
    (waited,) = lab.records.runs_of(history.jobs["waited"])
    assert waited.record.started_at is None
    assert waited.id not in lab.lines()
    (odd,) = lab.records.runs_of(history.jobs["odd"])
    assert odd.record.name == "\nx|1|\x1f'; --"


async def test_arrays_and_mixed_jobs_are_told_by_their_parts(
    lab: Lab, history: History
) -> None:
    await lab.intake.tick()
    kept = [record for _, record in lab.all().values()]
    array, mixed = history.jobs["array"], history.jobs["mixed"]
    tasks = [one for one in kept if one.shown_id.startswith(f"{array}_")]
    assert sorted(one.shown_id for one in tasks) == [f"{array}_{n}" for n in range(3)]
    assert len({one.job_id for one in tasks}) == 3
    parts = [one for one in kept if one.shown_id.startswith(f"{mixed}+")]
    assert sorted((one.shown_id, one.cpus) for one in parts) == [
        (f"{mixed}+0", 1),
        (f"{mixed}+1", 2),
    ]


async def test_an_exclusive_job_has_all_cpus_and_gpus_but_only_its_memory(
    lab: Lab, history: History
) -> None:
    await lab.intake.tick()
    (run,) = lab.records.runs_of(history.jobs["exclusive"])
    # Why whole nodes are billed by what the node has: its memory is not in AllocTRES.
    assert (run.record.cpus, run.record.gpus, run.record.memory_mb) == (
        64,
        "a100=8",
        1000,
    )
    seconds, _, _, memory, charged = lab.lines()[run.id]
    assert memory == seconds * 1000
    assert charged == _rounded((8 * 2_500_000 + 1_000_000) * seconds, 3600)


class SixSeconds(SiteDays):
    """Days of six seconds, so that a suspension lies on several of them."""

    def day_of(self, moment: float) -> int:
        return int(moment) // 6

    def _begins(self, day: int) -> int:
        return day * 6


async def test_suspended_time_is_told_apart_at_a_border_to_the_second(
    lab: Lab, history: History
) -> None:
    job = history.jobs["suspended"]
    query = (
        "select s.time_start, s.time_end, j.id_job from demo_suspend_table s"
        " join demo_job_table j on j.job_db_inx = s.job_db_inx"
    )
    told = run_as("root", "mysql", "-BN", "slurm_acct", "-e", query)
    rows = [tuple(map(int, line.split())) for line in told.stdout.splitlines()]
    spans = [(begins, ends) for begins, ends, number in rows if number == job]
    assert len(spans) == 2
    days = SixSeconds()
    expected: Counter[int] = Counter()
    for begins, ends in spans:
        expected.update(days.day_of(second) for second in range(begins, ends))
    read = [
        one
        async for batch in lab.reader.usage(history.began, history.ended)
        for one in batch
        if one.record.job_id == job
    ]
    suspensions = Suspensions(lab.reader, days)
    (completed,) = await suspensions.completed(read, lambda found: list(found))
    assert len(expected) >= 2
    assert completed.record.suspended_days == dict(expected)
    assert completed.record.suspended_s == sum(expected.values())


async def test_reading_it_again_changes_nothing(lab: Lab, history: History) -> None:
    first = await lab.intake.tick()
    assert first.new >= len(history.rows)
    lines = lab.lines()
    again = await lab.intake.read_again(history.began - 86_400, int(time.time()))
    assert (again.new, again.changed, again.lines) == (0, 0, 0)
    assert lab.lines() == lines


async def test_the_past_comes_in_step_by_step(lab: Lab, history: History) -> None:
    await lab.intake.tick()
    while not lab.records.progress().is_whole:
        await lab.intake.fill_back(60)
    assert set(history.rows) <= set(lab.all())


async def test_what_ended_while_slurmdbd_was_down_comes_in_later(
    lab: Lab, history: History, stack: Stack
) -> None:
    await lab.intake.tick()
    known = lab.records.progress()
    stack.hold("slurmdbd")
    job = sbatch("alice", *SMALL, wrap="sleep 2")
    wait_until(lambda: squeue(job, "%T") == "COMPLETED", 60)
    ended = int(time.time())
    with pytest.raises(ClusterUnreachable):
        await lab.intake.tick()
    assert lab.records.progress() == known
    stack.release("slurmdbd")
    stack.wait_ready("slurmdbd")
    wait_until(lambda: sacct(job, "end") not in {"", "Unknown"}, 90)
    await lab.intake.tick()
    (run,) = lab.records.runs_of(job)
    # It came late, with the times of then.
    assert run.record.ended_at is not None
    assert run.record.ended_at <= ended
    assert lab.lines()[run.id][0] == run.record.ended_at - (run.record.started_at or 0)
