"""Everybody sees one picture, read once for each sequence, off the loop."""

import asyncio
import threading

import pytest

from kqi_hub.domain.cluster import Association, Node
from kqi_hub.domain.errors import ClusterUnreachable, DatabaseNotReady, NotFound
from kqi_hub.domain.notebooks import Shape
from kqi_hub.services.board import Board
from kqi_hub.services.freshness import Trust
from tests.fakes.people import FakeAssociations, association
from tests.fakes.queues import FakeQueues, reading
from tests.fakes.snapshot_store import FakeSnapshotStore

START = 1_800_000_000.0


class Clock:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class CountingStore(FakeSnapshotStore):
    """Count readings, and remember the threads that they were made on."""

    def __init__(self) -> None:
        super().__init__()
        self.readings = 0
        self.threads: set[int] = set()

    def nodes(self) -> tuple[Node, ...]:
        self.readings += 1
        self.threads.add(threading.get_ident())
        return super().nodes()


def board(
    store: FakeSnapshotStore, clock: Clock, *known: Association
) -> tuple[Board, FakeAssociations]:
    held = FakeAssociations(known or (association("mia", "vision"),))
    return Board(store, held, 60.0, clock, clock), held


async def test_a_hundred_askers_cost_one_reading_and_none_on_the_loop() -> None:
    store, clock = CountingStore(), Clock()
    store.save(reading(START), {})
    shared, _ = board(store, clock)
    found = await asyncio.gather(*(shared.current() for _ in range(100)))
    assert store.readings == 1
    assert {picture.sequence for picture in found} == {1}
    assert threading.get_ident() not in store.threads
    for _ in range(5):
        clock.now += 1
        await shared.current()
    assert store.readings == 1


async def test_a_new_picture_is_read_and_counts_as_new_only_if_it_differs() -> None:
    store, clock = CountingStore(), Clock()
    store.save(reading(START), {})
    shared, _ = board(store, clock)
    first = await shared.current()
    store.save(store.reading, {})
    clock.now += 1
    same = await shared.current()
    assert (same.sequence, same.version) == (2, first.version)
    assert same.scene is first.scene
    store.save(reading(START + 600), {})
    clock.now += 1
    other = await shared.current()
    assert other.version > first.version
    assert store.readings == 3


async def test_age_is_judged_at_each_question() -> None:
    store, clock = CountingStore(), Clock()
    store.save(reading(START), {})
    shared, _ = board(store, clock)
    assert (await shared.current()).trust is Trust.FRESH
    clock.now += 61
    assert (await shared.current()).trust is Trust.STALE
    store.mark_failed("Unable to contact slurm controller", clock.now)
    clock.now += 1
    failed = await shared.current()
    assert failed.trust is Trust.STALE
    assert "Unable" in failed.freshness.error


async def test_before_the_first_look_there_is_an_empty_picture() -> None:
    shared, _ = board(FakeSnapshotStore(), Clock())
    picture = await shared.current()
    assert picture.trust is Trust.NONE
    assert not picture.scene.supplies


async def test_associations_are_renewed_without_a_new_look() -> None:
    store, clock = CountingStore(), Clock()
    store.save(reading(START), {})
    shared, held = board(store, clock)
    first = await shared.current()
    assert first.scene.accounts.allowance("max", "vision", "cpu") is None
    held.held = (*held.held, association("max", "vision"))
    clock.now += 16
    later = await shared.current()
    assert later.scene.accounts.allowance("max", "vision", "cpu") is not None
    assert later.version > first.version


async def test_the_first_associations_are_seen_at_the_next_glance() -> None:
    store, clock = CountingStore(), Clock()
    store.save(reading(START), {})
    shared, held = board(store, clock)
    held.held = ()
    await shared.current()
    held.held = (association("max", "vision"),)
    clock.now += 2
    later = await shared.current()
    assert later.scene.accounts.allowance("max", "vision", "cpu") is not None


async def test_a_database_that_does_not_answer_is_told_and_asked_again() -> None:
    store, clock = CountingStore(), Clock()
    store.save(reading(START), {})
    shared, _ = board(store, clock)
    store.fault = DatabaseNotReady("no answer")
    with pytest.raises(DatabaseNotReady):
        await shared.current()
    store.fault = None
    assert (await shared.current()).sequence == 1


async def test_a_refresh_is_left_for_the_worker_unless_slurm_is_down() -> None:
    fake = FakeQueues()
    queues = fake.queues(FakeAssociations())
    asked_at = await queues.refresh()
    assert fake.store.asked == asked_at
    fake.store.mark_failed("Unable to contact slurm controller", asked_at + 5)
    with pytest.raises(ClusterUnreachable, match="Unable to contact"):
        await queues.refresh()


async def test_waits_of_one_picture_are_thought_once() -> None:
    fake = FakeQueues()
    known = FakeAssociations((association("mia", "vision"),))
    queues = fake.queues(known)
    picture, found = await queues.list("mia", "vision")
    first = await queues.estimates(picture, found, Shape(), None)
    kept = len(queues.kept)
    again = await queues.estimates(picture, found, Shape(), None)
    assert [one.wait for one in first] == [one.wait for one in again]
    assert len(queues.kept) == kept == len(found)
    with pytest.raises(NotFound, match="no queue nope"):
        queues.pick(picture, "nope", "mia", "vision")


async def test_presets_are_those_of_the_tenant() -> None:
    queues = FakeQueues().queues(FakeAssociations())
    assert [one.name for one in queues.presets_for("vision")] == ["free-4h", "a100-day"]
