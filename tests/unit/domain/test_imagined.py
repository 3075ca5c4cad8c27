"""What a job would be in accounting if it ended at a moment."""

import pytest

from kqi_hub.domain.amounts import Amounts
from kqi_hub.domain.imagined import record_of_job, record_of_wish, shapes_of
from tests.fakes.queues import job

NOW = 1_800_000_000.7


def test_a_running_job_ends_now() -> None:
    running = job(7, "mia", "gpu", "RUNNING", starts_at=1_799_990_000, nodes=2,
                  cpus=8, memory="62.50G", gres="gpu:v100:2,gpu:a100:1,shard:3",
                  node_list="n[1-2]", submitted_at=1_799_980_000)  # fmt: skip
    record = record_of_job(running, NOW)
    assert (record.started_at, record.ended_at) == (1_799_990_000, 1_800_000_000)
    assert (record.nodes, record.cpus, record.memory_mb) == (2, 8, 64_000)
    assert record.gpus == "a100=1,v100=2"
    assert record.amounts.gpus == {"a100": 1, "v100": 2}
    assert record.key == (7, 1_799_980_000)


@pytest.mark.parametrize(
    ("state", "starts_at", "ends_at", "times"),
    [
        ("PENDING", 1_800_001_000, None, (None, None)),
        ("REQUEUED", 1_799_000_000, None, (None, None)),
        ("RUNNING", None, None, (None, None)),
        # Slurm's end of a job that runs is its limit.
        ("RUNNING", 1_799_000_000, 1_800_009_000, (1_799_000_000, 1_800_000_000)),
        ("COMPLETED", 1_799_000_000, 1_799_500_000, (1_799_000_000, 1_799_500_000)),
        # Clocks of two machines differ.
        ("RUNNING", 1_800_000_005, None, (1_800_000_005, 1_800_000_005)),
    ],
)
def test_its_time_is_from_its_start_to_its_end_or_now(
    state: str,
    starts_at: int | None,
    ends_at: int | None,
    times: tuple[int | None, int | None],
) -> None:
    found = record_of_job(
        job(1, "mia", "cpu", state, starts_at=starts_at, ends_at=ends_at), NOW
    )
    assert (found.started_at, found.ended_at) == times


def test_a_wish_lies_on_one_node_of_the_shape_given() -> None:
    takes = Amounts(4, 8192, {"": 1}, 1)
    wish = record_of_wish(takes, "gpu", "high", "vision", (100, 3700))
    assert wish.amounts == takes
    assert (wish.partition, wish.qos, wish.account) == ("gpu", "high", "vision")
    node = shapes_of(Amounts(40, 192_000, {"v100": 4}, 1)).of(wish.node_list, 100)
    assert node is not None
    assert node == Amounts(40, 192_000, {"v100": 4}, 1)
