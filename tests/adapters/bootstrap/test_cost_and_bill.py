"""What a job has cost when it ends is what the book says of it, to the millionth."""

import time
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select

from kqi_hub.bootstrap.queues import open_queues
from kqi_hub.bootstrap.rates import open_pricing, open_rates, site_days
from kqi_hub.db.accounting_tables import LedgerRow, NodeShapeRow
from kqi_hub.db.engine import reading as reading_of, writing
from kqi_hub.db.job_records import SqlJobRecords
from kqi_hub.db.ledger import SqlBook
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.accounting_ports import ReadRecord
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.services.rates import Author
from kqi_hub.settings.model import Settings
from tests.fakes.queues import job, reading

TABLES = {
    "site": {"timezone": "Asia/Tokyo"},
    "cluster": {"name": "gpu1"},
    "rate": [
        {"queue": "v100", "per_gpu": "33.333333", "per_memory_gb": "0.1"},
        {"queue": "cpu", "per_cpu": "1.234567", "per_memory_gb": "0.777777"},
    ],
}
DAY_S = 86_400


def record(queue: str, times: tuple[int, int], **about: Any) -> JobRecord:
    """Return a run as sacct tells of it."""
    begun, over = times
    plain = JobRecord(
        job_id=7001, submitted_at=begun - 60, db_index=1, shown_id="7001", name="j",
        user="mia", account="vision", partition=queue, qos="normal",
        state="COMPLETED", exit_code="0:0", eligible_at=begun - 60, started_at=begun,
        ended_at=over, suspended_s=0, time_limit_s=7 * DAY_S, nodes=1, cpus=3,
        memory_mb=12_345, gpus="", node_list="cpu01",
    )  # fmt: skip
    return plain._replace(**about)


@pytest.mark.parametrize(
    ("queue", "seen", "told"),
    [
        ("cpu", {"cpus": 3, "memory": "12345M", "node_list": "cpu01"}, {}),
        (
            "v100",
            {"cpus": 2, "memory": "1G", "gres": "gpu:v100:1", "node_list": "v100-02"},
            {"cpus": 2, "memory_mb": 1024, "gpus": "v100=1", "node_list": "v100-02"},
        ),
    ],
)
@pytest.mark.parametrize("lasted_s", [1, 3599, 2 * DAY_S + 12_345])
async def test_cost_so_far_becomes_the_bill(
    settings: Settings,
    engine: Engine,
    queue: str,
    seen: dict[str, Any],
    told: dict[str, Any],
    lasted_s: int,
) -> None:
    over = int(time.time()) - 60
    begun = over - lasted_s
    live = replace(
        job(7001, "mia", queue, "RUNNING", submitted_at=begun - 60, starts_at=begun),
        **seen,
    )
    picture = reading(float(over))
    SqlSnapshotStore(engine, "gpu1").save(replace(picture, jobs=(live,)), {})
    with writing(engine) as connection:
        shapes = [(x.name, x.cpus, x.memory_mb, x.gpus) for x in picture.nodes]
        connection.execute(
            insert(NodeShapeRow),
            [
                {"cluster": "gpu1", "node": name, "from_at": over - 7 * DAY_S,
                 "cpus": cpus, "memory_mb": memory,
                 "gpus": ",".join(f"{one.type}={one.total}" for one in gpus)}
                for name, cpus, memory, gpus in shapes
            ],
        )  # fmt: skip
    _, watch = open_pricing(settings, engine)
    watch.renew()
    # Other rates, begun while it ran.
    rates = open_rates(settings, engine)
    text = f'[[rate]]\nqueue = "{queue}"\nper_node = "7.000001"\nper_cpu = "0.000007"'
    shown = await rates.preview(text, over - lasted_s // 3)
    await rates.publish(Author("oda"), shown.document, shown.confirmation)
    queues = open_queues(settings, engine)
    scene = (await queues.board.current()).scene
    so_far = queues.pricing.cost_so_far(scene, live, over)
    days = site_days(settings)
    records = SqlJobRecords(engine, "gpu1", SqlBook(engine, "gpu1", days))
    ended = ReadRecord(record(queue, (begun, over), **told), 1)
    records.take_in([ended], time.time())
    with reading_of(engine) as connection:
        billed = connection.execute(select(func.sum(LedgerRow.amount))).scalar_one()
    assert so_far == billed
    assert billed
