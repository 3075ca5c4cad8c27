"""Three years of runs of 400 people, taken in as the worker does it."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from sqlalchemy import Engine, Table, func, select

from benchmarks.cluster import Say
from kqi_hub.db import schema
from kqi_hub.db.engine import reading
from kqi_hub.db.job_records import RECORDS, SqlJobRecords
from kqi_hub.db.ledger import LEDGER, SqlBook
from kqi_hub.db.rate_cards import SqlRateCards
from kqi_hub.domain.accounting_ports import ReadRecord
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.rate_cards import CardLine, RateCard
from kqi_hub.domain.rate_ports import NewCard, Standing
from kqi_hub.domain.rate_writing import write_document
from kqi_hub.domain.site_days import SiteDays

CLUSTER: Final = "bench"
DAYS: Final = SiteDays("UTC")
DAY_S: Final = 86_400
YEARS: Final = 3
# The night after the last day.
NOW: Final = int(datetime(2026, 11, 19, tzinfo=UTC).timestamp())
BEGINS: Final = NOW - YEARS * 365 * DAY_S
PEOPLE: Final = 400
TENANTS: Final = 40
# Runs over midnight have a line for each day.
LINES_A_RUN: Final = 1.25
BATCH: Final = 20_000
CARD: Final = RateCard(
    0,
    0,
    (CardLine("a100", gpu=2_500_000), CardLine("*", cpu=31_337, memory_gb=777)),
)
# Each queue with its GPUs, and how many of ten runs go there.
QUEUES: Final = (
    ("cpu", "", 4),
    ("a100", "a100", 3),
    ("v100", "v100", 2),
    ("h100", "h100", 1),
)
_KEY: Final = "-" + "a" * 26


def person(number: int) -> str:
    """Return a name."""
    return f"u{number:03}"


def tenant(number: int) -> str:
    """Return a tenant of a person's; the first has many people."""
    return f"t{0 if number % 8 == 0 else number % TENANTS:02}"


def history(runs: int) -> Iterator[JobRecord]:
    """Yield so many runs in the order of their beginnings; the same each time."""
    dice = random.Random(8)  # noqa: S311 - the same runs each time, no secret
    names = [name for name, _, often in QUEUES for _ in range(often)]
    gpus = {name: kind for name, kind, _ in QUEUES}
    span = YEARS * 365 * DAY_S
    for number in range(1, runs + 1):
        who = min(PEOPLE - 1, int(dice.expovariate(1 / 70)))
        # Most of what somebody does is in one or two queues.
        habit = names[who * 7 % len(names)]
        queue = habit if dice.random() < 0.8 else dice.choice(names)
        began = BEGINS + span * number // runs
        yield _run(dice, number, who, queue, gpus[queue], began)


def _run(
    dice: random.Random, number: int, who: int, queue: str, gpu: str, began: int
) -> JobRecord:
    chance = dice.random()
    lasts = int(dice.expovariate(1 / 14_000)) + 30
    if chance > 0.97:
        lasts += dice.randrange(5 * DAY_S)
    if chance > 0.9999:
        lasts += 20 * DAY_S
    waited = dice.randrange(3000)
    ended = began + lasts
    name = f"sweep-{number}"
    if chance < 0.3:
        name = f"training-{number // 9 + 1}{_KEY}"
    elif chance < 0.4:
        name = f"nb-{number // 9 + 1}{_KEY}"
    is_array = number % 4 == 0
    return JobRecord(
        job_id=number,
        submitted_at=began - waited,
        db_index=number,
        shown_id=f"{number - number % 400}_{number % 400}" if is_array else str(number),
        name=name,
        user=person(who),
        account=tenant(who),
        partition=queue,
        qos="urgent" if chance > 0.9995 else ("high" if who % 9 == 0 else "normal"),
        state="FAILED" if number % 23 == 0 else "COMPLETED",
        exit_code="0:0",
        eligible_at=began - waited,
        started_at=began,
        ended_at=ended if ended < NOW else None,
        suspended_s=0,
        time_limit_s=30 * DAY_S,
        nodes=1,
        cpus=8,
        memory_mb=32_768,
        gpus=f"{gpu}={1 + who % 4}" if gpu else "",
        node_list=f"{queue}{number % 40:02}",
    )


def fill(engine: Engine, lines: int, say: Say) -> dict[str, float]:
    """Keep and post so many charge lines, more or less; tell how quickly it went.

    What is there already of the same history is gone on with.
    """
    schema.upgrade(engine)
    records = SqlJobRecords(engine, CLUSTER, SqlBook(engine, CLUSTER, DAYS))
    runs, done = int(lines / LINES_A_RUN), _count(engine, RECORDS)
    if not done:
        cards = SqlRateCards(engine, CLUSTER, DAYS, lambda _: None)
        document = write_document(CARD, "UTC", "JPY")
        cards.publish(NewCard(0, document, "bench"), Standing(), float(NOW))
    took = 0.0
    left = islice(history(runs), done, None)
    while batch := [ReadRecord(one, one.db_index) for one in islice(left, BATCH)]:
        began = time.monotonic()
        records.take_in(batch, float(NOW))
        took += time.monotonic() - began
        done += len(batch)
        if done % 1_000_000 == 0:
            say(f"  {done:,} of {runs:,} runs")
    return {
        "runs": runs,
        "lines": _count(engine, LEDGER),
        "fill_s": round(took),
    }


def _count(engine: Engine, table: Table) -> int:
    with reading(engine) as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()
