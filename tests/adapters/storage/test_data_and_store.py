"""Data from ticket to deletion with the real store, both faces, and a real database."""

import asyncio
import hashlib
import json
import os
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tornado.netutil import bind_sockets

from kqi_hub.db import schema
from kqi_hub.db.data_blockers import DatasetUsers, SqlBlockers
from kqi_hub.db.data_items import SqlDataStore
from kqi_hub.db.engine import make_engine
from kqi_hub.db.uploads import SqlUploadStore
from kqi_hub.domain.data import DataItem
from kqi_hub.domain.data_list import DataQuestion
from kqi_hub.domain.errors import Conflict, Incomplete, NotFound
from kqi_hub.domain.upload_ports import NewData
from kqi_hub.services.data import DataItems
from kqi_hub.services.data_keeping import DataKeeper
from kqi_hub.services.data_use import DataUse
from kqi_hub.services.publishing import Publisher
from kqi_hub.services.uploads import Pass, Uploads
from kqi_hub.storage.store_client import SocketStore
from kqi_hub.store.app import make_app, make_server
from kqi_hub.store.face import Counter
from kqi_hub.store.house import House
from kqi_hub.store.socket_face import Asker as SocketAsker, SocketFace
from tests.fakes.data import NO_QUOTAS, TICKET_KEY, asker
from tests.fakes.login import FakeAuditLog

ANN = asker("ann")
CONTENT = {"a/x.txt": b"three", "b.bin": bytes(range(256)) * 40, "empty": b""}


@dataclass
class Site:
    items: DataItems
    uploads: Uploads
    keeper: DataKeeper
    use: DataUse
    address: str
    root: Path

    async def send(self, sent: Pass, content: dict[str, bytes]) -> None:
        """Send whole files as a client does."""
        for path, whole in content.items():
            query = urllib.parse.urlencode(
                {"path": path, "size": len(whole), "offset": 0}
            )
            await asyncio.to_thread(self._put, f"{sent.path}/file?{query}", sent, whole)

    def _put(self, path: str, sent: Pass, whole: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310  our own address
            f"{self.address}/{path}",
            whole,
            {"Authorization": f"Bearer {sent.ticket}"},
            method="PUT",
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310  the same
            assert json.load(answer)["done"]

    async def item(self, content: dict[str, bytes], name: str = "signs") -> DataItem:
        size = sum(map(len, content.values()))
        new = NewData("vision", name)
        _, sent = await self.uploads.create(ANN, new, len(content), size)
        await self.send(sent, content)
        done = await self.uploads.finish(ANN, sent.upload.key)
        assert done.item is not None
        return done.item

    def on_disk(self, data_id: int) -> dict[str, bytes]:
        top = self.root / "vision/data" / str(data_id)
        files = [one for one in top.rglob("*") if one.is_file()]
        return {str(one.relative_to(top)): one.read_bytes() for one in files}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "store"
    (root / "vision").mkdir(parents=True)
    (root / "vision").chmod(0o2750)
    house = House(root)
    threads = ThreadPoolExecutor(4)
    server = make_server(
        make_app("/services/store/", Counter(house, TICKET_KEY, threads, 7.0))
    )
    [listening] = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
    server.add_socket(listening)
    face = tmp_path / "face.sock"
    SocketFace(face, house, SocketAsker(os.getuid(), TICKET_KEY)).start()
    engine = make_engine(f"sqlite:///{tmp_path}/kqi.sqlite", create=True)
    schema.upgrade(engine)
    users, store, audit = DatasetUsers(), SocketStore(face), FakeAuditLog()
    rows, uploads = SqlDataStore(engine, users), SqlUploadStore(engine, users)
    publisher = Publisher(uploads, rows, store)
    yield Site(
        DataItems(rows, uploads, store, SqlBlockers(engine), audit, ZoneInfo("UTC")),
        Uploads(
            uploads,
            rows,
            store,
            publisher,
            lambda: TICKET_KEY,
            lambda tenant: NO_QUOTAS,
            audit,
        ),
        DataKeeper(rows, uploads, store, publisher),
        DataUse(rows, store, lambda tenant: NO_QUOTAS),
        f"http://127.0.0.1:{listening.getsockname()[1]}",
        root,
    )
    server.stop()
    await server.close_all_connections()
    threads.shutdown()
    engine.dispose()


async def test_what_is_sent_is_listed_kept_and_deleted(site: Site) -> None:
    item = await site.item(CONTENT)
    files = await site.items.files(ANN, item.id)
    assert {one.path: one.sha256 for one in files} == {
        path: hashlib.sha256(whole).hexdigest() for path, whole in CONTENT.items()
    }
    assert site.on_disk(item.id) == CONTENT
    top = await site.items.level(ANN, item.id)
    assert [(one.name, one.is_folder) for one in top] == [
        ("a", True),
        ("b.bin", False),
        ("empty", False),
    ]
    use = await site.use.of(ANN, "vision", with_disk=True)
    assert use.kept is not None
    # Empty files have no content; the disk counts in blocks.
    assert use.kept.contents == 2
    assert use.kept.content_bytes >= use.use.bytes == item.bytes
    await site.items.delete(ANN, item.id)
    page = await site.items.list(ANN, DataQuestion(with_total=True))
    assert page.total == 0
    assert site.on_disk(item.id) == {}


async def test_an_upload_that_lacks_files_goes_on_where_it_was(site: Site) -> None:
    size = sum(map(len, CONTENT.values()))
    item, sent = await site.uploads.create(ANN, NewData("vision", "signs"), 3, size)
    await site.send(sent, {"b.bin": CONTENT["b.bin"]})
    with pytest.raises(Incomplete):
        await site.uploads.finish(ANN, sent.upload.key)
    again = await site.uploads.one(ANN, sent.upload.key)
    assert again.received is not None
    assert again.received.files == 1
    await site.send(again, CONTENT)
    done = await site.uploads.finish(ANN, sent.upload.key)
    assert done.item is not None
    assert site.on_disk(item.id) == CONTENT


async def test_files_are_added_and_removed(site: Site) -> None:
    item = await site.item(CONTENT)
    sent = await site.uploads.add(ANN, item.id, 2, 6)
    await site.send(sent, {"a/new.txt": b"new", "z": b"end"})
    await site.uploads.finish(ANN, sent.upload.key)
    changed = await site.items.remove_files(ANN, item.id, ["a/x.txt", "empty"])
    assert (changed.files, changed.version) == (3, 3)
    listed = [one.path for one in await site.items.files(ANN, item.id)]
    assert listed == ["a/new.txt", "b.bin", "z"]
    assert sorted(site.on_disk(item.id)) == listed
    # The same path again, with another content.
    more = await site.uploads.add(ANN, item.id, 1, 5)
    await site.send(more, {"a/x.txt": b"other"})
    await site.uploads.finish(ANN, more.upload.key)
    assert site.on_disk(item.id)["a/x.txt"] == b"other"


async def test_a_path_that_is_taken_is_refused_and_nothing_changes(site: Site) -> None:
    item = await site.item(CONTENT)
    sent = await site.uploads.add(ANN, item.id, 2, 6)
    await site.send(sent, {"b.bin": b"bad", "z": b"end"})
    with pytest.raises(Conflict):
        await site.uploads.finish(ANN, sent.upload.key)
    assert site.on_disk(item.id) == CONTENT
    await site.uploads.drop(ANN, sent.upload.key)
    with pytest.raises(Conflict):
        await site.uploads.finish(ANN, sent.upload.key)


async def test_what_was_dropped_leaves_nothing_and_takes_nothing(site: Site) -> None:
    _, sent = await site.uploads.create(ANN, NewData("vision", "signs"), 1, 3)
    await site.send(sent, {"x": b"one"})
    await site.uploads.drop(ANN, sent.upload.key)
    assert [
        one for one in (site.root / "vision/incoming").iterdir() if one.is_dir()
    ] == []
    with pytest.raises(urllib.error.HTTPError, match="410"):
        await site.send(sent, {"x": b"one"})
    with pytest.raises(NotFound):
        await site.items.one(ANN, sent.upload.data_id)


async def test_store_and_database_agree(site: Site) -> None:
    item = await site.item(CONTENT)
    await site.item({}, "nothing in it")
    _, sent = await site.uploads.create(ANN, NewData("vision", "more"), 1, 3)
    await site.send(sent, {"x": b"one"})
    [found] = await site.keeper.compare()
    assert (found.strays, found.missing, found.trouble) == (0, (), "")
    (site.root / "vision/data" / str(item.id)).rename(site.root / "vision/gone")
    [found] = await site.keeper.compare_now(["vision"])
    assert found.missing == (item.id,)


async def test_many_files_are_published_within_seconds(site: Site) -> None:
    content = {f"d{n // 100}/{n}": b"%d" % n for n in range(1200)}
    item = await site.item(content)
    assert item.files == 1200
    assert await site.keeper.round() == ()
