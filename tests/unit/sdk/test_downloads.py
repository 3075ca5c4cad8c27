"""Data fetched through an agent that breaks off, lies, or leads elsewhere."""

import hashlib
import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kqi_hub.sdk import agent_calls, downloads
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import NotReachable, PortalError
from kqi_hub.sdk.upload_progress import Progress

WAY = {"url": "user/alice/agent/", "token": "short-lived", "lifetime_s": 600}
FILES = {
    "a/one.txt": b"one",
    "a/b/long.bin": bytes(range(256)) * 9000,
    "empty": b"",
    " blanks ": b"x",
    "猫 %25 ?#.png": b"png",
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "_PAUSE_S", 0.001)
    monkeypatch.setattr(agent_calls, "START_S", 0.05)
    monkeypatch.setattr(agent_calls, "_PAUSE_S", 0.01)


@dataclass
class FakeServer:
    """The portal that lists files, and the agent that has them."""

    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    listed: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    # Bytes after which an archive, and each of the next contents, is broken off.
    archive_cut: int | None = None
    cuts: list[int] = field(default_factory=list)
    members: list[tarfile.TarInfo] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    is_asleep: bool = False

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if path.endswith("/api/v1/agent"):
            return httpx2.Response(200, json=WAY)
        if path.endswith("/api/v1/data/7"):
            return httpx2.Response(200, json=self.item())
        if path.endswith("/api/v1/data/7/files"):
            return httpx2.Response(200, json=self.listing(request))
        if self.is_asleep:
            return httpx2.Response(503, text="<p>starting")
        assert request.headers["Authorization"] == "Bearer short-lived"
        self.asked.append(path.rsplit("/", 1)[-1])
        if path.endswith("health"):
            return httpx2.Response(200, json={})
        if path.endswith("archive"):
            return httpx2.Response(200, stream=Broken(self.tar(), self.archive_cut))
        return self.content(request)

    def item(self) -> dict[str, Any]:
        size = sum(map(len, self.listed.values()))
        lists = ("tags", "parents", "made_from", "made_to", "blockers", "uploads")
        return {"id": 7, "tenant": "vision", "name": "x", "files": len(self.listed),
                "bytes": size, **{name: [] for name in lists}}  # fmt: skip

    def listing(self, request: httpx2.Request) -> dict[str, Any]:
        """Answer two at a time, whatever is asked."""
        after = request.url.params["after"]
        paths = [one for one in sorted(self.listed) if one > after]
        files = [
            {"path": one, "size": len(content), "sha256": sha(content)}
            for one in paths[:2]
            for content in [self.listed[one]]
        ]
        return {"files": files, "next": paths[1] if len(paths) > 2 else None}

    def tar(self) -> bytes:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for member in self.members:
                archive.addfile(member, io.BytesIO(b"\0" * member.size))
            for path, content in self.files.items():
                member = tarfile.TarInfo(f"7/{path}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return made.getvalue()

    def content(self, request: httpx2.Request) -> httpx2.Response:
        top, _, path = request.url.params["path"].partition("/")
        assert (top, request.url.params["root"]) == ("7", "data:vision")
        content = self.files[path.replace("%2525", "%25")]
        start = int(request.headers.get("Range", "bytes=0-")[6:-1])
        cut = self.cuts.pop(0) if self.cuts else None
        stream = Broken(content[start:], cut)
        return httpx2.Response(206 if start else 200, stream=stream)


class Broken(httpx2.SyncByteStream):
    """Bytes, of which only the first come if there is a cut."""

    def __init__(self, content: bytes, cut: int | None) -> None:
        self._content, self._cut = content, cut

    def __iter__(self) -> Any:
        yield self._content[: self._cut]
        if self._cut is not None:
            raise httpx2.ReadError("cut")


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fetch(
    server: FakeServer, to: Path, tell: Callable[[Progress], None] | None = None
) -> int:
    transport = httpx2.MockTransport(server)
    with Client("https://hub.example.org", "long", transport=transport) as kqi:
        return kqi.download_data(7, to, tell)


def here(folder: Path) -> dict[str, bytes]:
    return {
        str(one.relative_to(folder)): one.read_bytes()
        for one in folder.rglob("*")
        if one.is_file()
    }


def test_everything_comes_as_one_archive(tmp_path: Path) -> None:
    server, told = FakeServer(), list[Progress]()
    assert fetch(server, tmp_path / "to", told.append) == len(FILES)
    assert here(tmp_path / "to") == FILES
    assert server.asked == ["health", "archive"]
    assert told


@pytest.mark.parametrize("cut", [0, 100, 512, 3000, 1_000_000])
def test_an_archive_that_breaks_off_is_completed_file_by_file(
    tmp_path: Path, cut: int
) -> None:
    server = FakeServer(archive_cut=cut, cuts=[0, 5, 1000])
    fetch(server, tmp_path / "to")
    assert here(tmp_path / "to") == FILES
    assert server.asked[:2] == ["health", "archive"]
    assert set(server.asked[2:]) == {"content"}


def test_what_is_here_is_kept_and_the_rest_is_fetched(tmp_path: Path) -> None:
    to = tmp_path / "to"
    fetch(FakeServer(), to)
    (to / "empty").unlink()
    (to / "a/one.txt").write_text("eno")
    (to / "a/b/.long.bin.kqi-part").write_bytes(FILES["a/b/long.bin"][:70])
    (to / "a/b/long.bin").unlink()
    server = FakeServer()
    fetch(server, to)
    assert here(to) == FILES
    assert server.asked == ["health", "content", "content"]


def test_content_with_another_hash_is_refused_and_not_left_here(tmp_path: Path) -> None:
    server = FakeServer(files={**FILES, "a/one.txt": b"two"})
    with pytest.raises(PortalError, match="another SHA-256"):
        fetch(server, tmp_path / "to")
    assert not (tmp_path / "to/a/one.txt").exists()
    fetch(FakeServer(), tmp_path / "to")
    assert here(tmp_path / "to") == FILES


@pytest.mark.parametrize(
    "name", ["7/../../evil", "../evil", "/evil", "7/a/../../evil", "7//evil", "8/evil"]
)
def test_an_archive_cannot_write_elsewhere(tmp_path: Path, name: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = 4
    to = tmp_path / "deep/to"
    try:
        fetch(FakeServer(members=[member]), to)
    except PortalError as error:
        assert "is no path" in error.message
    assert [one.name for one in tmp_path.rglob("evil")] == []
    assert {one.parts[0] for one in map(Path, here(tmp_path))} <= {"deep"}


def test_links_and_devices_of_an_archive_are_left_out(tmp_path: Path) -> None:
    link, device = tarfile.TarInfo("7/link"), tarfile.TarInfo("7/device")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    device.type = tarfile.CHRTYPE
    fetch(FakeServer(members=[link, device]), tmp_path / "to")
    assert here(tmp_path / "to") == FILES


def test_a_path_in_the_list_cannot_lead_elsewhere(tmp_path: Path) -> None:
    server = FakeServer(listed={"../evil": b"x"})
    with pytest.raises(PortalError, match="is no path"):
        fetch(server, tmp_path / "to")


def test_an_agent_that_does_not_start_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotReachable, match="does not start"):
        fetch(FakeServer(is_asleep=True), tmp_path / "to")


def test_what_is_cut_off_for_ever_is_given_up(tmp_path: Path) -> None:
    server = FakeServer(archive_cut=0, cuts=[0] * 1000)
    with pytest.raises(NotReachable, match="again and again"):
        fetch(server, tmp_path / "to")
