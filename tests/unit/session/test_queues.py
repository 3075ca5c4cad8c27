"""The queues as a session knows them: what the hub said last, and how old that is."""

import asyncio
from typing import Any

import pytest

from kqi_hub.session.queues import Queue, Queues, Seen, read_seen

TOLD = {
    "trust": "fresh",
    "age_s": 3.0,
    "queues": [{"name": "cpu", "is_up": True, "free": 1, "total": 2}],
}


class Hub:
    """Says what it is told to say, and counts."""

    def __init__(self, told: Any = TOLD) -> None:
        self.told, self.asked, self.now = told, 0, 1000.0

    async def ask(self) -> Any:
        self.asked += 1
        await asyncio.sleep(0)
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    def clock(self) -> float:
        return self.now


async def test_many_looks_ask_the_hub_once_and_the_age_grows() -> None:
    hub = Hub()
    queues = Queues(hub.ask, hub.clock)
    found = await asyncio.gather(*(queues.now() for _ in range(20)))
    assert set(found) == {Seen((Queue("cpu", True, 1, 2),), 3.0)}
    hub.now += 9
    assert (await queues.now()).age_s == 12.0
    assert hub.asked == 1
    hub.now += 1
    assert (await queues.now()).age_s == 3.0
    assert hub.asked == 2


async def test_a_hub_that_is_away_leaves_what_was_known_and_is_said_to_be_away() -> (
    None
):
    hub = Hub()
    queues = Queues(hub.ask, hub.clock)
    await queues.now()
    hub.told, hub.now = OSError("refused"), hub.now + 60
    away = await queues.now()
    assert (away.is_away, away.age_s, away.queues[0].name) == (True, 63.0, "cpu")
    await queues.now()
    assert hub.asked == 2
    hub.told, hub.now = TOLD, hub.now + 10
    assert await queues.now() == Seen((Queue("cpu", True, 1, 2),), 3.0)


async def test_a_hub_that_was_never_there_has_told_nothing() -> None:
    hub = Hub(TimeoutError())
    assert await Queues(hub.ask, hub.clock).now() == Seen(is_away=True)


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {},
        TOLD | {"queues": None},
        TOLD | {"queues": [{"name": "cpu"}]},
        TOLD | {"queues": [{"name": "cpu", "is_up": 1, "free": "x", "total": 2}]},
        TOLD | {"age_s": "old"},
        {"trust": "fresh", "queues": []},
    ],
)
async def test_rubbish_is_taken_for_no_answer(told: Any) -> None:
    hub = Hub(told)
    assert await Queues(hub.ask, hub.clock).now() == Seen(is_away=True)


@pytest.mark.parametrize(
    ("trust", "is_stale"),
    [("fresh", False), ("partial", False), ("stale", True), ("none", True), ({}, True)],
)
def test_what_is_not_trusted_is_said_to_be_old(trust: object, is_stale: bool) -> None:
    assert read_seen(TOLD | {"trust": trust}).is_stale is is_stale


def test_a_picture_that_was_never_taken_has_no_age() -> None:
    assert read_seen({"trust": "none", "age_s": None, "queues": []}) == Seen(
        is_stale=True
    )
