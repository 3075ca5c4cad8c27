"""The way to the store: against a real one, and against one that breaks."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kqi_hub.domain.data import Placed, StoredFile
from kqi_hub.domain.data_ports import Published
from kqi_hub.domain.errors import (
    Conflict,
    Incomplete,
    InvalidInput,
    KqiError,
    NotFound,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from kqi_hub.storage.store_client import SocketStore
from tests.adapters.store.running import Store, a_store, why_not


@pytest.fixture(scope="module")
def running() -> Iterator[Store]:
    """Return a running store."""
    if reason := why_not():
        pytest.skip(reason)
    with a_store() as store:
        store.start()
        yield store


async def test_everything_that_the_portal_asks_is_answered(running: Store) -> None:
    client = SocketStore(running.socket)
    sender = running.sender("whole-life")
    sender.pack([("a", b"hello"), ("b/c", b"")])
    came = await client.received("vision", ["whole-life", "unknown-one"])
    assert [(one.files, one.bytes) for one in came.values()] == [(2, 5)]
    with pytest.raises(Incomplete) as refused:
        await client.publish("vision", "whole-life", 1, Published(3, 9))
    assert refused.value.values["announced_files"] == 3
    heard: list[tuple[int, int]] = []
    done = await client.publish(
        "vision",
        "whole-life",
        1,
        Published(2, 5),
        lambda done, of: heard.append((done, of)),
    )
    assert (done, heard[-1]) == (Published(2, 5), (2, 2))
    [first] = await client.uploaded("vision", "whole-life", limit=1)
    assert isinstance(first, StoredFile)
    assert first.path == "a"
    assert await client.find_tree("vision", "e" * 40) is None
    placed = [Placed("training", 1)]
    tree = await client.tree("vision", "e" * 40, placed, {"id": 3})
    assert (tree.files, tree.built) == (2, True)
    found = await client.find_tree("vision", "e" * 40)
    assert found is not None
    assert (found.path, found.built) == (tree.path, False)
    assert (await client.kept("vision")).contents == 1
    swept = await client.sweep("vision", [], [1, 77], ["e" * 40])
    assert (swept.strays, swept.missing_data) == ((), (77,))
    await client.remove_files("vision", 1, ["a"])
    await client.drop_tree("vision", "e" * 40)
    await client.remove("vision", 1)
    await client.drop("vision", "whole-life")
    assert (await client.health())["tenants"] == ["vision"]


@pytest.mark.parametrize(
    ("tenant", "data_id", "kind"),
    [
        ("nowhere", 1, StoreError),
        ("../x", 1, InvalidInput),
        ("vision", 0, InvalidInput),
    ],
)
async def test_refusals_are_errors_of_the_tree(
    running: Store, tenant: str, data_id: int, kind: type[KqiError]
) -> None:
    with pytest.raises(kind):
        await SocketStore(running.socket).remove(tenant, data_id)


async def test_a_store_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="does not answer"):
        await SocketStore(tmp_path / "none.sock").health()


@asynccontextmanager
async def answering(path: Path, raw: bytes) -> AsyncIterator[SocketStore]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(raw)
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(talk, path)
    async with server:
        yield SocketStore(path)


@pytest.mark.parametrize(
    "raw",
    [b"", b"nonsense\n", b"[]\n", b'{"ok": {}', b'{"progress":{"done":1,"of":2}}\n'],
)
async def test_a_store_that_breaks_off_is_unavailable(
    tmp_path: Path, raw: bytes
) -> None:
    async with answering(tmp_path / "s", raw) as client:
        with pytest.raises(StoreUnavailable):
            await client.health()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("disk-full", StoreFull),
        ("not-found", NotFound),
        ("invalid-input", InvalidInput),
        ("path-taken", Conflict),
        ("busy", StoreUnavailable),
        ("upload-over", Conflict),
        ("something-new", StoreError),
    ],
)
async def test_each_code_becomes_its_error(
    tmp_path: Path, code: str, kind: type[KqiError]
) -> None:
    said = {"error": code, "message": "{no} template", "hint": "do {this}"}
    raw = json.dumps(said).encode() + b"\n"
    async with answering(tmp_path / "s", raw) as client:
        with pytest.raises(kind) as refused:
            await client.health()
    assert type(refused.value) is kind
    if kind is not StoreFull:
        assert "{no} template" in refused.value.message
