"""The uploader against the real store: folders, kill -9, going on, hashes."""

import asyncio
import hashlib
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from kqi_hub.domain.data_ports import Published
from kqi_hub.sdk import patience
from kqi_hub.sdk.errors import NotReachable
from kqi_hub.sdk.local_files import count, walk
from kqi_hub.sdk.long_file import ChangedMeanwhile
from kqi_hub.sdk.store_wire import StoreRefused, StoreWire
from kqi_hub.sdk.upload_progress import Meter, Progress
from kqi_hub.sdk.uploader import Uploader
from kqi_hub.storage.store_client import SocketStore
from tests.adapters.sdk.store_process import TENANT, StoreProcess

KEY = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE_S", 0.02)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreProcess]:
    store = StoreProcess(tmp_path / "s")
    (tmp_path / "s").mkdir()
    store.prepare()
    store.start()
    yield store
    store.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "images"
    (place / "deep/er").mkdir(parents=True)
    some = random.Random(7)  # noqa: S311 - the same content each time
    for number in range(600):
        (place / f"deep/{number:03}").write_bytes(some.randbytes(some.randrange(3000)))
    (place / "deep/er/empty").touch()
    (place / "same").write_bytes((place / "deep/007").read_bytes())
    (place / "猫 & ?#%2F'\"\\.png").write_bytes(b"\x89PNG\0\n")
    (place / " a blank ").write_bytes(b"blank")
    for name in ("long", "longer"):
        (place / name).write_bytes(some.randbytes(12_000_000))
    return place


def send(
    store: StoreProcess,
    folder: Path,
    *,
    is_new: bool = False,
    patience_s: float = 20.0,
    key: str = KEY,
) -> Progress:
    counted = count([folder])
    meter = Meter(counted.files, counted.bytes)
    ticket = store.ticket(key, counted.files, counted.bytes)
    with httpx2.Client() as http:
        address = f"{store.address}uploads/{key}"
        wire = StoreWire(http, address, ticket, lambda: ticket)
        sender = Uploader(wire, meter, patience_s=patience_s)
        sender.send(walk([folder]), is_new=is_new)
    return meter.now()


async def published(store: StoreProcess, folder: Path) -> dict[str, str]:
    """Publish and return what the store says it keeps, by path."""
    counted = count([folder])
    door = SocketStore(store.door)
    announced = Published(counted.files, counted.bytes)
    await door.publish(TENANT, KEY, 1, announced)
    return {one.path: one.sha256 for one in await door.uploaded(TENANT, KEY)}


def here(folder: Path) -> dict[str, str]:
    files = [one for one in folder.rglob("*") if one.is_file()]
    return {str(one.relative_to(folder.parent)): sha256(one) for one in files}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def names(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


async def test_a_folder_is_kept_as_it_is_here(
    store: StoreProcess, folder: Path
) -> None:
    last = send(store, folder, is_new=True)
    assert (last.done_files, last.done_bytes) == (last.files, last.bytes)
    assert await published(store, folder) == here(folder)
    assert names(store.root / TENANT / "data/1/images") == names(folder)


async def test_a_store_that_is_killed_again_and_again_gets_each_file_right(
    store: StoreProcess, folder: Path
) -> None:
    some = random.Random(3)  # noqa: S311
    kills = 6
    ended = threading.Event()

    def trouble() -> None:
        for _ in range(kills):
            ended.wait(some.uniform(0.01, 0.12))
            store.kill()
            store.start()

    troubler = threading.Thread(target=trouble)
    troubler.start()
    last = send(store, folder, is_new=True)
    ended.set()
    troubler.join()
    # What is counted as kept before the last kill may have to be sent again.
    send(store, folder)
    assert (last.done_files, last.done_bytes) == (last.files, last.bytes)
    assert await published(store, folder) == here(folder)


async def test_an_upload_goes_on_in_another_process_after_any_cut(
    store: StoreProcess, folder: Path
) -> None:
    for moment_s in (0.0, 0.03, 0.08, 0.15):
        killer = threading.Timer(moment_s, store.kill)
        killer.start()
        with suppress(NotReachable):
            send(store, folder, patience_s=0.1)
        killer.join()
        store.start()
    before = time.monotonic()
    send(store, folder)
    again = send(store, folder)
    assert (again.done_files, again.rate) == (again.files, 0.0)
    assert time.monotonic() - before < 20
    assert await published(store, folder) == here(folder)


def test_a_file_that_grew_since_it_was_begun_is_refused(
    store: StoreProcess, tmp_path: Path
) -> None:
    place = tmp_path / "log"
    place.write_bytes(b"x" * 1_000_000)
    send(store, place, is_new=True)
    place.write_bytes(b"x" * 1_000_001)
    with pytest.raises(StoreRefused) as refused:
        send(store, place)
    assert refused.value.code in {"other-size", "too-much"}


def test_more_than_was_announced_is_refused(store: StoreProcess, folder: Path) -> None:
    counted = count([folder])
    ticket = store.ticket(KEY, 5, 10)
    with httpx2.Client() as http:
        wire = StoreWire(http, f"{store.address}uploads/{KEY}", ticket, lambda: ticket)
        sender = Uploader(wire, Meter(counted.files, counted.bytes))
        with pytest.raises(StoreRefused) as refused:
            sender.send(walk([folder]), is_new=True)
    assert (refused.value.status, refused.value.code) == (413, "too-much")


def test_a_path_that_the_store_does_not_keep_is_refused_by_name(
    store: StoreProcess, tmp_path: Path
) -> None:
    place = tmp_path / "deep"
    (place / "/".join("abcdefghijklmnopqrstuvwxyz" * 3)).mkdir(parents=True)
    (place / "/".join("abcdefghijklmnopqrstuvwxyz" * 3) / "f").touch()
    with pytest.raises(StoreRefused, match="folders deep"):
        send(store, place, is_new=True)


def test_a_file_cut_short_here_while_it_is_sent_ends_it(
    store: StoreProcess, tmp_path: Path
) -> None:
    place = tmp_path / "long"
    place.write_bytes(b"x" * 8_000_000)
    files = list(walk([place]))
    place.write_bytes(b"x" * 7_000_000)
    ticket = store.ticket(KEY, 1, 8_000_000)
    with httpx2.Client() as http:
        wire = StoreWire(http, f"{store.address}uploads/{KEY}", ticket, lambda: ticket)
        with pytest.raises(ChangedMeanwhile):
            Uploader(wire, Meter(1, 1)).send(files, is_new=True)


async def test_what_the_store_has_read_ahead_is_taken_however_much_it_is(
    store: StoreProcess, tmp_path: Path
) -> None:
    """Headers that come with all of the body at once: the store reads far ahead."""
    place = tmp_path / "long"
    place.write_bytes(random.Random(5).randbytes(6_000_000))  # noqa: S311
    ticket = store.ticket(KEY, 1, 6_000_000)
    head = (
        f"PUT /services/store/uploads/{KEY}/file?path=long&size=6000000&offset=0 "
        f"HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ticket}\r\n"
        "Content-Length: 6000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", store.port), 20) as connection:
        assert store.process is not None
        # Asleep, it finds as much as the system holds for it when it wakes.
        store.process.send_signal(signal.SIGSTOP)
        sender = threading.Thread(
            target=connection.sendall, args=(head.encode() + place.read_bytes(),)
        )
        sender.start()
        await asyncio.sleep(0.3)
        store.process.send_signal(signal.SIGCONT)
        answer = await asyncio.to_thread(connection.recv, 4096)
        sender.join()
    assert sha256(place).encode() in answer
    assert await published(store, place) == {"long": sha256(place)}
