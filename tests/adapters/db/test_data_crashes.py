"""A crash between any two steps, two of a kind at once: nothing is lost or half seen.

The store is in memory, the database a SQLite file. A crash is an error that nobody
catches, before or after any one call to either of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kqi_hub.db import schema
from kqi_hub.db.data_items import SqlDataStore
from kqi_hub.db.data_users import NoUsers
from kqi_hub.db.engine import make_engine
from kqi_hub.db.uploads import SqlUploadStore
from kqi_hub.domain.data import DataItem, DataState, UploadState
from kqi_hub.domain.errors import Conflict, KqiError, NotFound, StoreUnavailable
from kqi_hub.domain.upload_ports import NewData
from kqi_hub.services.data import DataItems
from kqi_hub.services.data_keeping import DataKeeper
from kqi_hub.services.publishing import Publisher
from kqi_hub.services.uploads import Uploads
from tests.fakes.data import NO_QUOTAS, TICKET_KEY, asker
from tests.fakes.data_book import FakeDataBook
from tests.fakes.login import FakeAuditLog
from tests.fakes.store import NOW, FakeStore

ANN = asker("ann")
NEW = NewData("vision", "signs", tags=("a",))
FILES = {"a/x": 3, "b": 4}
MOST_CALLS = 60


class Crash(Exception):
    """The process is dead."""


@dataclass
class Fuse:
    """Count calls, and crash before or after one of them."""

    at: int | None = None
    is_after: bool = False
    calls: int = 0

    def before(self) -> None:
        self.calls += 1
        if self.calls == self.at and not self.is_after:
            raise Crash

    def after(self) -> None:
        if self.calls == self.at and self.is_after:
            raise Crash


class Fused:
    """A store whose every call burns the fuse."""

    def __init__(self, real: object, fuse: Fuse) -> None:
        self._real = real
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if not callable(real):
            return real
        if asyncio.iscoroutinefunction(real):

            async def call(*args: Any, **names: Any) -> Any:
                self._fuse.before()
                answer = await real(*args, **names)
                self._fuse.after()
                return answer

            return call

        def call_now(*args: Any, **names: Any) -> Any:
            self._fuse.before()
            answer = real(*args, **names)
            self._fuse.after()
            return answer

        return call_now


@dataclass
class World:
    """One database and one store; each process on them has a fuse of its own."""

    items: SqlDataStore
    rows: SqlUploadStore
    store: FakeStore = field(default_factory=FakeStore)
    now: float = NOW

    def process(self, fuse: Fuse | None = None) -> "Process":
        return Process(self, fuse or Fuse())


class Process:
    """The services of a portal and of a worker, that may die."""

    def __init__(self, world: World, fuse: Fuse) -> None:
        items: Any = Fused(world.items, fuse)
        rows: Any = Fused(world.rows, fuse)
        store: Any = Fused(world.store, fuse)

        def wall() -> float:
            return world.now

        publisher = Publisher(rows, items, store, wall)
        audit = FakeAuditLog()
        self.uploads = Uploads(
            rows,
            items,
            store,
            publisher,
            lambda: TICKET_KEY,
            lambda tenant: NO_QUOTAS,
            audit,
            wall=wall,
        )
        self.items = DataItems(
            items, rows, store, FakeDataBook(), audit, ZoneInfo("UTC"), wall
        )
        self.keeper = DataKeeper(items, rows, store, publisher, wall=wall)


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    engine = make_engine(sqlite_url, create=True)
    schema.upgrade(engine)
    users = NoUsers()
    yield World(SqlDataStore(engine, users), SqlUploadStore(engine, users))
    engine.dispose()


async def sent(world: World, into: DataItem | None = None, of: str = "") -> str:
    """Begin an upload and send all of it; return its key."""
    whole = world.process().uploads
    size = sum(FILES.values())
    if into is None:
        _, gone = await whole.create(ANN, NEW, len(FILES), size)
    else:
        gone = await whole.add(ANN, into.id, len(FILES), size)
    for path, one in FILES.items():
        world.store.receive(gone.upload.key, of + path, one, of)
    return gone.upload.key


async def ready(world: World) -> DataItem:
    done = await world.process().uploads.finish(ANN, await sent(world))
    assert done.item is not None
    return done.item


async def tidied(world: World) -> None:
    """Let a new worker do its rounds until nothing is left to do."""
    for _ in range(3):
        world.now += 100
        deeds = await world.process().keeper.round()
        assert [one for one in deeds if one.error is not None] == []
    assert deeds == ()
    [compared] = await world.process().keeper.compare() or [None]
    assert compared is None or (compared.strays, compared.missing) == (0, ())


async def crashing(
    world: World,
    begin: Callable[[], Awaitable[Any]],
    work: Callable[[Process, Any], Any],
) -> int:
    """Do some work again and again, each time dying a step later; count the deaths."""
    deaths = 0
    for at in range(1, MOST_CALLS):
        for is_after in (False, True):
            subject = await begin()
            try:
                await work(world.process(Fuse(at, is_after)), subject)
            except Crash:
                deaths += 1
            else:
                return deaths
            await tidied(world)
    raise AssertionError("the work never ends")


async def test_publishing_survives_a_crash_at_any_step(world: World) -> None:
    keys = []

    async def begin() -> str:
        keys.append(await sent(world))
        return keys[-1]

    deaths = await crashing(world, begin, lambda p, key: p.uploads.finish(ANN, key))
    assert deaths >= 10
    for key in keys:
        done = await world.process().uploads.finish(ANN, key)
        assert done.item is not None
        assert (done.item.files, done.item.bytes, done.item.version) == (2, 7, 1)
        files = world.items.files(done.item.id)
        assert {one.path: one.size for one in files} == FILES
        assert set(world.store.data[done.item.id]) == set(FILES)
    assert world.store.incoming == {}


async def test_adding_files_survives_a_crash_at_any_step(world: World) -> None:
    item = await ready(world)
    keys: list[str] = []

    async def begin() -> str:
        keys.append(await sent(world, item, f"more{len(keys)}/"))
        return keys[-1]

    await crashing(world, begin, lambda p, key: p.uploads.finish(ANN, key))
    for key in keys:
        await world.process().uploads.finish(ANN, key)
    found = world.items.one(item.id)
    assert found is not None
    assert found.files == 2 + 2 * len(keys)
    assert found.version == 1 + len(keys)
    listed = {one.path for one in world.items.files(item.id, limit=10_000)}
    assert listed == set(world.store.data[item.id])
    assert len(listed) == found.files


async def test_deleting_survives_a_crash_at_any_step(world: World) -> None:
    async def begin() -> DataItem:
        return await ready(world)

    async def delete(process: Process, item: DataItem) -> None:
        await process.items.delete(ANN, item.id)

    assert await crashing(world, begin, delete) >= 5
    # A death before the first step deleted nothing, and that shows.
    for data_id in world.items.ids("vision"):
        item = world.items.one(data_id)
        assert item is not None
        assert item.state is DataState.READY
        assert data_id in world.store.data
    assert set(world.store.data) == set(world.items.ids("vision"))


async def test_removing_files_survives_a_crash_at_any_step(world: World) -> None:
    async def begin() -> DataItem:
        return await ready(world)

    async def remove(process: Process, item: DataItem) -> None:
        await process.items.remove_files(ANN, item.id, ["b"])

    assert await crashing(world, begin, remove) >= 5
    for data_id in world.items.ids("vision"):
        listed = {one.path for one in world.items.files(data_id)}
        assert listed == set(world.store.data[data_id])
        assert "a/x" in listed


async def test_dropping_survives_a_crash_at_any_step(world: World) -> None:
    async def drop(process: Process, key: str) -> None:
        await process.uploads.drop(ANN, key)

    assert await crashing(world, lambda: sent(world), drop) >= 5
    for key, got in world.store.incoming.items():
        upload = world.rows.upload(key)
        assert upload is not None
        assert upload.state is UploadState.OPEN
        assert got


async def test_the_keeper_itself_may_die_at_any_step(world: World) -> None:
    async def begin() -> None:
        await sent(world)
        world.rows.publishing(await sent(world), world.now)
        world.items.begin_removal((await ready(world)).id, world.now)
        world.items.take_files((await ready(world)).id, ["b"], world.now)
        # Everything is due, and the first upload has expired.
        world.store.received_at = NOW - 10**9
        world.now += 10**7

    async def work(process: Process, _: None) -> None:
        await process.keeper.round()

    assert await crashing(world, begin, work) >= 20
    await tidied(world)
    assert world.store.incoming == {}


async def test_two_processes_finish_at_once(world: World) -> None:
    key = await sent(world)
    processes = [world.process() for _ in range(4)]
    done = await asyncio.gather(*(one.uploads.finish(ANN, key) for one in processes))
    assert len({one.item for one in done}) == 1
    assert done[0].item is not None
    assert (done[0].item.files, done[0].item.version) == (2, 1)
    assert world.rows.left_over(NOW * 2) == ()


async def test_deleting_while_finishing_does_one_of_both(world: World) -> None:
    item = await ready(world)
    key = await sent(world, item, "more/")
    finishing = asyncio.create_task(world.process().uploads.finish(ANN, key))
    deleting = asyncio.create_task(world.process().items.delete(ANN, item.id))
    ended = await asyncio.gather(finishing, deleting, return_exceptions=True)
    failed = [one for one in ended if isinstance(one, BaseException)]
    assert all(isinstance(one, Conflict | NotFound) for one in failed)
    assert len(failed) <= 1
    await tidied(world)
    is_there = world.items.one(item.id) is not None
    assert is_there == (item.id in world.store.data)
    assert is_there == isinstance(ended[1], Conflict)


async def test_dropping_while_finishing_does_one_of_both(world: World) -> None:
    for _ in range(5):
        key = await sent(world)
        ended = await asyncio.gather(
            world.process().uploads.finish(ANN, key),
            world.process().uploads.drop(ANN, key),
            return_exceptions=True,
        )
        assert not all(isinstance(one, BaseException) for one in ended)
        assert all(
            isinstance(one, KqiError) for one in ended if isinstance(one, BaseException)
        )
        await tidied(world)
        upload = world.rows.upload(key)
        assert upload is not None
        is_there = world.items.one(upload.data_id) is not None
        assert is_there == (upload.state is UploadState.DONE)
        assert is_there == (upload.data_id in world.store.data)


async def test_a_store_that_comes_back_finds_what_is_to_be_done(world: World) -> None:
    item, key, dropped = await ready(world), await sent(world), await sent(world)
    world.store.is_down = True
    process = world.process()
    with pytest.raises(StoreUnavailable):
        await process.uploads.finish(ANN, key)
    await process.uploads.drop(ANN, dropped)
    await process.items.delete(ANN, item.id)
    with pytest.raises(NotFound):
        await process.items.one(ANN, item.id)
    world.now += 100
    deeds = await process.keeper.round()
    assert {type(one.error) for one in deeds} == {StoreUnavailable}
    world.store.is_down = False
    await tidied(world)
    done = await process.uploads.finish(ANN, key)
    assert done.item is not None
    assert set(world.store.data) == {done.item.id}
    assert world.store.incoming == {}
