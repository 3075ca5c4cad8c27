"""The uploader against a store with faults: all arrives once, whatever happens."""

import tracemalloc
from pathlib import Path

import httpx2
import pytest

from kqi_hub.sdk import long_file, patience, store_wire, uploader
from kqi_hub.sdk.errors import NotReachable, PortalError
from kqi_hub.sdk.local_files import LocalFile, count, walk
from kqi_hub.sdk.long_file import ChangedMeanwhile
from kqi_hub.sdk.store_wire import StoreRefused, StoreWire
from kqi_hub.sdk.upload_progress import Meter, Progress
from kqi_hub.sdk.uploader import Uploader
from tests.fakes.store_face import (
    FakeStoreFace,
    answering,
    cut,
    cut_after,
    lost_answer,
    said,
)

LONG = 3 * 1024 * 1024 + 7


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(long_file, "SEGMENT_BYTES", 1024 * 1024)
    monkeypatch.setattr(uploader, "_PACK_FILES", 7)
    monkeypatch.setattr(uploader, "_ASK_AT_ONCE", 16)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return 40 small files, an empty one, odd names, and a long one."""
    place = tmp_path / "images"
    (place / "deep/er").mkdir(parents=True)
    for number in range(40):
        (place / f"deep/{number:02}.txt").write_text(f"content {number}")
    (place / "deep/er/empty").touch()
    (place / "猫 & ?#%2F'\".png").write_bytes(b"\x89PNG\0\n")
    (place / "long.bin").write_bytes(bytes(range(256)) * (LONG // 256) + b"1234567")
    return place


def expected(folder: Path) -> dict[str, bytes]:
    return {
        str(one.relative_to(folder.parent)): one.read_bytes()
        for one in folder.rglob("*")
        if one.is_file()
    }


class Sending:
    """One upload; `send` may be called again as another process would."""

    def __init__(self, store: FakeStoreFace, folder: Path, patience_s: float = 5.0):
        self.store, self.folder, self.patience_s = store, folder, patience_s
        self.told: list[Progress] = []
        self.renewed = 0

    def renew(self) -> str:
        self.renewed += 1
        return self.store.ticket

    def send(self, ticket: str = "good", *, is_new: bool = False) -> Progress:
        counted = count([self.folder])
        meter = Meter(counted.files, counted.bytes)
        http = httpx2.Client(transport=httpx2.MockTransport(self.store))
        with http:
            wire = StoreWire(http, "https://h/uploads/k", ticket, self.renew)
            sender = Uploader(wire, meter, self.told.append, patience_s=self.patience_s)
            sender.send(walk([self.folder]), is_new=is_new)
        return meter.now()


@pytest.fixture
def store() -> FakeStoreFace:
    return FakeStoreFace()


def test_a_folder_arrives_as_it_is_and_a_new_upload_asks_nothing(
    store: FakeStoreFace, folder: Path
) -> None:
    sending = Sending(store, folder)
    last = sending.send(is_new=True)
    assert store.contents() == expected(folder)
    assert "known" not in store.asked
    assert store.asked.count("pack") == 8
    assert (last.done_files, last.done_bytes) == (last.files, last.bytes)
    assert sending.told


def test_what_the_store_has_is_not_sent_again(
    store: FakeStoreFace, folder: Path
) -> None:
    Sending(store, folder).send(is_new=True)
    store.asked.clear()
    last = Sending(store, folder).send()
    assert set(store.asked) == {"known"}
    assert (last.done_files, last.done_bytes) == (last.files, last.bytes)


def test_a_long_file_goes_on_where_it_was(store: FakeStoreFace, folder: Path) -> None:
    content = (folder / "long.bin").read_bytes()
    store.received["images/long.bin"] = bytearray(content[:2_000_000])
    store.sizes["images/long.bin"] = LONG
    last = Sending(store, folder).send()
    assert store.contents() == expected(folder)
    assert store.asked.count("file") == 2
    assert last.done_bytes == last.bytes


LONG_PATH = "images/long.bin"


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(lambda store: [cut], id="cut before"),
        pytest.param(lambda store: [cut] * 6, id="cut six times"),
        pytest.param(lambda store: [lost_answer(store)], id="answer lost"),
        pytest.param(lambda store: [lost_answer(store)] * 5, id="five answers lost"),
        pytest.param(lambda store: [answering(503)] * 3, id="proxy says 503"),
        pytest.param(lambda store: [answering(404)] * 3, id="hub says 404"),
        pytest.param(
            lambda store: [lambda r: said(503, error="busy", message="x")],
            id="store says 503",
        ),
        pytest.param(
            lambda store: [lambda r: said(200, odd="answer")] * 0 + [answering(200)],
            id="a page instead",
        ),
    ],
)
def test_whatever_is_cut_all_arrives_once(
    store: FakeStoreFace, folder: Path, faults: object
) -> None:
    assert callable(faults)
    store.faults = faults(store)
    last = Sending(store, folder).send()
    assert store.contents() == expected(folder)
    assert (last.done_files, last.done_bytes) == (last.files, last.bytes)


@pytest.mark.parametrize("most", [0, 1, 500_000, 1024 * 1024])
def test_a_long_file_that_is_cut_goes_on_and_is_counted_once(
    tmp_path: Path, store: FakeStoreFace, most: int
) -> None:
    place = tmp_path / "long.bin"
    place.write_bytes(b"abcdefg" * 300_000)
    size = place.stat().st_size
    store.faults = [cut_after(store, "long.bin", size, most)]
    last = Sending(store, place).send(is_new=True)
    assert store.contents() == {"long.bin": place.read_bytes()}
    assert last.done_bytes == size
    assert last.done_files == 1


def test_a_store_that_has_lost_bytes_is_sent_them_again(
    tmp_path: Path, store: FakeStoreFace
) -> None:
    place = tmp_path / "long.bin"
    place.write_bytes(b"abcdefg" * 300_000)

    def forget(request: httpx2.Request) -> None:
        with store.lock:
            del store.received["long.bin"][1000:]

    store.faults = [lambda request: None, forget]
    last = Sending(store, place).send(is_new=True)
    assert store.contents() == {"long.bin": place.read_bytes()}
    assert last.done_bytes == last.bytes


def test_a_store_that_stays_silent_is_given_up_and_nothing_is_lost(
    store: FakeStoreFace, folder: Path
) -> None:
    store.faults = [cut] * 1000
    with pytest.raises(NotReachable, match="ConnectError"):
        Sending(store, folder, patience_s=0.1).send()
    store.faults = []
    Sending(store, folder).send()
    assert store.contents() == expected(folder)


def test_a_ticket_that_is_too_old_is_renewed_once_for_all(
    store: FakeStoreFace, folder: Path
) -> None:
    sending = Sending(store, folder)
    sending.send("old", is_new=True)
    assert store.contents() == expected(folder)
    assert sending.renewed == 1


def test_a_ticket_that_is_never_taken_is_given_up(
    store: FakeStoreFace, folder: Path
) -> None:
    sending = Sending(store, folder)
    sending.renew = lambda: "still bad"  # type: ignore[method-assign]  # a bad portal
    with pytest.raises(NotReachable, match="tickets"):
        sending.send("old")


def test_a_full_disk_is_said_and_goes_on_when_there_is_room(
    store: FakeStoreFace, folder: Path
) -> None:
    store.most_bytes = 2_000_000
    with pytest.raises(StoreRefused, match="no room") as refused:
        Sending(store, folder).send(is_new=True)
    assert (refused.value.status, refused.value.code) == (507, "disk-full")
    store.most_bytes = 2**40
    Sending(store, folder).send()
    assert store.contents() == expected(folder)


def test_content_that_arrives_otherwise_is_noticed(
    tmp_path: Path, store: FakeStoreFace
) -> None:
    place = tmp_path / "long.bin"
    place.write_bytes(b"abcdefg" * 300_000)
    size = place.stat().st_size

    def spoil(request: httpx2.Request) -> httpx2.Response:
        body = bytearray(request.read())
        body[17] ^= 1
        with store.lock:
            return store.part("long.bin", size, 0, bytes(body))

    store.faults = [spoil]
    with pytest.raises(ChangedMeanwhile, match="other content"):
        Sending(store, place).send(is_new=True)


@pytest.mark.parametrize("name", ["deep/03.txt", "long.bin"])
@pytest.mark.parametrize("grown", ["", "x" * 2 * LONG])
def test_a_file_that_changes_after_counting_ends_it(
    store: FakeStoreFace, folder: Path, name: str, grown: str
) -> None:
    files = list(walk([folder]))
    (folder / name).write_text(grown)
    with pytest.raises(ChangedMeanwhile, match="has changed") as told:
        self_send(store, files)
    assert name in told.value.message


def self_send(store: FakeStoreFace, files: list[LocalFile]) -> None:
    with httpx2.Client(transport=httpx2.MockTransport(store)) as http:
        wire = StoreWire(http, "https://h/uploads/k", "good", lambda: "good")
        Uploader(wire, Meter(len(files), 1), None).send(files, is_new=True)


def test_a_refusal_ends_all_connections_at_once(
    store: FakeStoreFace, folder: Path
) -> None:
    store.faults = [lambda r: said(404, error="no-upload", message="It is gone.")]
    with pytest.raises(StoreRefused, match="It is gone"):
        Sending(store, folder).send(is_new=True)
    assert len(store.asked) < 12


def test_what_the_caller_raises_while_told_ends_it(
    store: FakeStoreFace, folder: Path
) -> None:
    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    files = list(walk([folder]))
    with httpx2.Client(transport=httpx2.MockTransport(store)) as http:
        wire = StoreWire(http, "https://h/uploads/k", "good", lambda: "good")
        with pytest.raises(KeyboardInterrupt):
            Uploader(wire, Meter(1, 1), interrupt).send(files, is_new=True)


def test_memory_stays_flat(store: FakeStoreFace, tmp_path: Path) -> None:
    place = tmp_path / "sparse.bin"
    with place.open("wb") as file:
        file.truncate(64 * 1024 * 1024)

    def swallow(request: httpx2.Request) -> httpx2.Response:
        assert isinstance(request.stream, httpx2.SyncByteStream)
        taken = sum(len(piece) for piece in request.stream)
        offset = int(request.url.params["offset"]) + taken
        return said(200, path="x", offset=offset, done=offset == place.stat().st_size)

    store.faults = [swallow] * 64
    tracemalloc.start()
    Sending(store, place).send(is_new=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 1024 * 1024


def test_the_time_left_counts_files_as_well_as_bytes() -> None:
    meter = Meter(1000, 1000)
    meter.had(500, 500)
    assert meter.now().left_s is None
    assert (meter.now().done_files, meter.now().rate) == (500, 0.0)


def test_errors_of_the_uploader_are_the_portals() -> None:
    assert issubclass(ChangedMeanwhile, PortalError)
    assert issubclass(StoreRefused, PortalError)
    assert store_wire.Interrupted not in PortalError.__mro__
