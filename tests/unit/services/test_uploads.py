"""Uploads from ticket to item, with a store and a database in memory."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from kqi_hub.domain.data import DataState, UploadState
from kqi_hub.domain.data_ports import Published
from kqi_hub.domain.errors import (
    Conflict,
    Incomplete,
    NotFound,
    NotPermitted,
    SettingsError,
)
from kqi_hub.domain.people import Role
from kqi_hub.domain.tickets import checked
from kqi_hub.domain.upload_ports import NewData
from tests.fakes.data import TICKET_KEY, asker, data_lab
from tests.fakes.store import NOW

ANN = asker("ann")
NEW = NewData("vision", " signs ", tags=("b", "a", "b"))


async def test_files_become_data_with_the_last_of_them() -> None:
    lab = data_lab()
    item, sent = await lab.uploads.create(ANN, NEW, 2, 7)
    assert (item.name, item.tags, item.state) == (
        "signs",
        ("a", "b"),
        DataState.UPLOADING,
    )
    lab.store.receive(sent.upload.key, "a/x.txt", 3)
    with pytest.raises(Incomplete):
        await lab.uploads.finish(ANN, sent.upload.key)
    with pytest.raises(NotFound):
        await lab.items.one(ANN, item.id)
    lab.store.receive(sent.upload.key, "b.txt", 4)
    done = await lab.uploads.finish(ANN, sent.upload.key)
    assert done.upload.state is UploadState.DONE
    assert done.item is not None
    assert (done.item.files, done.item.bytes, done.item.version) == (2, 7, 1)
    files = await lab.items.files(ANN, item.id)
    assert [one.path for one in files] == ["a/x.txt", "b.txt"]
    assert lab.store.incoming == {}


async def test_finishing_twice_is_finishing_once() -> None:
    lab = data_lab()
    item = await lab.data_of("ann", {"x": 1})
    [key] = lab.book.kept_uploads
    again = await lab.uploads.finish(ANN, key)
    assert again.item == item
    assert lab.store.calls.count("publish") == 1


async def test_the_ticket_says_who_may_send_how_much() -> None:
    lab = data_lab()
    _, sent = await lab.uploads.create(ANN, NEW, 2, 7)
    ticket = checked(sent.ticket, TICKET_KEY, NOW + 3600)
    assert (ticket.upload, ticket.tenant, ticket.person) == (
        sent.upload.key,
        "vision",
        "ann",
    )
    assert (ticket.files, ticket.bytes) == (2, 7)
    assert sent.path == f"services/store/uploads/{sent.upload.key}"


async def test_a_viewer_begins_no_upload() -> None:
    lab = data_lab()
    with pytest.raises(NotPermitted):
        await lab.uploads.create(asker("eve", Role.VIEWER), NEW, 1, 1)


async def test_an_upload_of_others_is_not_there() -> None:
    lab = data_lab()
    _, sent = await lab.uploads.create(ANN, NEW, 1, 1)
    boss = asker("boss", Role.MANAGER)
    for call in (lab.uploads.one, lab.uploads.finish, lab.uploads.drop):
        with pytest.raises(NotFound):
            await call(boss, sent.upload.key)


async def test_what_was_dropped_cannot_be_finished() -> None:
    lab = data_lab()
    item, sent = await lab.uploads.create(ANN, NEW, 1, 1)
    lab.store.receive(sent.upload.key, "x", 1)
    await lab.uploads.drop(ANN, sent.upload.key)
    with pytest.raises(Conflict):
        await lab.uploads.finish(ANN, sent.upload.key)
    assert lab.store.incoming == {}
    assert lab.book.one(item.id) is None


async def test_without_a_key_of_tickets_nothing_begins() -> None:
    def no_key() -> bytes:
        raise SettingsError("The key file /etc/kqi/store.key is missing.")

    lab = data_lab()
    item = await lab.data_of("ann", {"x": 1})
    broken = replace(lab.uploads, ticket_key=no_key)
    with pytest.raises(SettingsError):
        await broken.create(ANN, NEW, 1, 1)
    with pytest.raises(SettingsError):
        await broken.add(ANN, item.id, 1, 1)
    assert list(lab.book.items) == [item.id]


async def test_long_publishing_goes_on_and_can_be_asked_about() -> None:
    lab = data_lab()
    _, sent = await lab.uploads.create(ANN, NEW, 1, 1)
    lab.store.receive(sent.upload.key, "x", 1)
    gate = asyncio.Event()
    real = lab.store.publish

    async def slow(*words: Any, **more: Any) -> Any:
        await gate.wait()
        return await real(*words, **more)

    lab.store.publish = slow  # type: ignore[method-assign]  # a store that is slow
    waiting = await lab.uploads.finish(ANN, sent.upload.key, wait_s=0.05)
    assert (waiting.upload.state, waiting.item) == (UploadState.PUBLISHING, None)
    with pytest.raises(Conflict):
        await lab.uploads.drop(ANN, sent.upload.key)
    gate.set()
    done = await lab.uploads.finish(ANN, sent.upload.key)
    assert done.item is not None
    assert lab.store.calls.count("publish") == 1


async def test_who_goes_away_while_it_is_published_stops_nothing() -> None:
    lab = data_lab()
    _, sent = await lab.uploads.create(ANN, NEW, 1, 1)
    lab.store.receive(sent.upload.key, "x", 1)
    begun = asyncio.Event()
    real = lab.store.publish

    async def telling(*words: Any, **more: Any) -> Any:
        begun.set()
        await asyncio.sleep(0.01)
        return await real(*words, **more)

    lab.store.publish = telling  # type: ignore[method-assign]  # a store that tells
    request = asyncio.create_task(lab.uploads.finish(ANN, sent.upload.key))
    await begun.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert (await lab.uploads.finish(ANN, sent.upload.key)).item is not None


async def test_a_dropped_upload_takes_what_the_store_had_published_of_it() -> None:
    lab = data_lab()
    item, sent = await lab.uploads.create(ANN, NEW, 1, 1)
    lab.store.receive(sent.upload.key, "x", 1)
    # The store's answer was lost, and the portal took it for a refusal.
    await lab.store.publish("vision", sent.upload.key, item.id, Published(1, 1))
    await lab.uploads.drop(ANN, sent.upload.key)
    assert (lab.store.data, lab.store.incoming) == ({}, {})
