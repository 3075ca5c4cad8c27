"""What sessions are told of the queues: nodes alone, from one reading for all."""

import asyncio
import time

from kqi_hub.domain.cluster import Partition
from kqi_hub.domain.job import Job
from kqi_hub.services.queue_room import board_of_nodes, room_told
from tests.fakes.queues import reading
from tests.fakes.snapshot_store import FakeSnapshotStore


class Store(FakeSnapshotStore):
    """Has no jobs to give: nobody may want them."""

    readings = 0

    def partitions(self) -> tuple[Partition, ...]:
        self.readings += 1
        return super().partitions()

    def live_jobs(self, user: str | None = None) -> tuple[Job, ...]:
        raise AssertionError("jobs are not needed")


async def test_hundred_sessions_cost_one_reading_without_jobs() -> None:
    store = Store()
    store.save(reading(time.time()), {})
    board = board_of_nodes(store, 60.0)
    found = await asyncio.gather(*(board.current() for _ in range(100)))
    assert store.readings == 1
    told = room_told(found[0])
    queues = told["queues"]
    assert isinstance(queues, list)
    names = [one["name"] for one in queues]
    assert names == [one.name for one in store.partitions()]
    for one in queues:
        assert 0 <= one["free"] <= one["total"]
        assert one["is_up"] is True
    assert sum(one["total"] for one in queues) > 0
    assert told["trust"] == found[0].trust.value == "fresh"


async def test_no_picture_is_told_as_none() -> None:
    board = board_of_nodes(FakeSnapshotStore(), 60.0)
    told = room_told(await board.current())
    assert told == {"trust": "none", "age_s": None, "queues": []}
