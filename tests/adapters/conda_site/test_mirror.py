import hashlib
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conda_bootstrap.errors import BootstrapError, Refused
from conda_bootstrap.site.mirror import Package, mirror
from conda_bootstrap.site.publishing import Offer, publish
from tests.adapters.conda_site.conftest import Lab

DATA = bytes(range(256)) * 4000


class Handler(SimpleHTTPRequestHandler):
    """Serve a folder and parts of files, and remember what was asked."""

    def __init__(self, *args: object, asked: list[str], **options: object) -> None:
        self.asked = asked
        super().__init__(*args, **options)  # type: ignore[arg-type]  # handed through

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.asked.append(f"{self.path} {wanted or ''}".strip())
        if wanted is None:
            super().do_GET()
            return
        data = Path(self.translate_path(self.path)).read_bytes()
        rest = data[int(wanted.removeprefix("bytes=").rstrip("-")) :]
        self.send_response(206)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server:
    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        handler = partial(Handler, asked=self.asked, directory=str(folder))
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "p.conda").write_bytes(DATA)
    found = Server(tmp_path)
    yield found
    found.stop()


def package(url: str, folder: Path, data: bytes = DATA) -> Package:
    folder.mkdir(exist_ok=True)
    sha256 = hashlib.sha256(data).hexdigest()
    return Package(url, folder / "p.conda", sha256, len(data))


def test_a_fetch_goes_on_where_it_was_interrupted(
    tmp_path: Path, server: Server
) -> None:
    wanted = package(f"{server.url}/p.conda", tmp_path / "to")
    wanted.unfinished.write_bytes(DATA[:1000])
    heard: list[tuple[int, int]] = []
    mirror([wanted], lambda *pair: heard.append(pair))
    assert wanted.path.read_bytes() == DATA
    assert server.asked == ["/p.conda bytes=1000-"]
    assert heard == [(len(DATA), len(DATA))]
    assert not wanted.unfinished.exists()


def test_what_is_here_is_not_fetched_again(tmp_path: Path, server: Server) -> None:
    wanted = package(f"{server.url}/p.conda", tmp_path / "to")
    wanted.path.write_bytes(DATA)
    assert mirror([wanted], lambda *_: None) == 0
    assert server.asked == []


def test_an_interrupted_fetch_of_other_bytes_is_begun_anew_the_next_time(
    tmp_path: Path, server: Server
) -> None:
    wanted = package(f"{server.url}/p.conda", tmp_path / "to")
    wanted.unfinished.write_bytes(b"?" * 1000)
    with pytest.raises(BootstrapError, match="SHA-256"):
        mirror([wanted], lambda *_: None)
    assert not wanted.path.exists()
    mirror([wanted], lambda *_: None)
    assert wanted.path.read_bytes() == DATA


def test_a_damaged_source_is_refused(tmp_path: Path, server: Server) -> None:
    (tmp_path / "p.conda").write_bytes(DATA[:-1] + b"?")
    wanted = package(f"{server.url}/p.conda", tmp_path / "to")
    with pytest.raises(BootstrapError, match="not what its channel's index says"):
        mirror([wanted], lambda *_: None)
    assert [*(tmp_path / "to").iterdir()] == []


@pytest.mark.parametrize(
    "url", ["{server}/nosuch.conda", "file:///nosuch/p.conda", "http://127.0.0.1:1/p"]
)
def test_a_source_that_does_not_answer_is_named(
    tmp_path: Path, server: Server, url: str
) -> None:
    address = url.format(server=server.url)
    with pytest.raises(BootstrapError, match="could not be fetched") as caught:
        mirror([package(address, tmp_path / "to")], lambda *_: None)
    assert address in str(caught.value)


def test_other_kinds_of_addresses_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BootstrapError, match="ftp"):
        mirror([package("ftp://host/p.conda", tmp_path / "to")], lambda *_: None)


def test_a_disk_without_room_is_said_before_anything_is_fetched(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 5})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(Refused, match="Make room"):
        mirror([package(f"{server.url}/p.conda", tmp_path / "to")], lambda *_: None)
    assert server.asked == []


def test_a_link_is_the_very_file_of_the_channel(tmp_path: Path) -> None:
    source = tmp_path / "p.conda"
    source.write_bytes(DATA)
    wanted = package(source.as_uri(), tmp_path / "to")
    mirror([wanted], lambda *_: None, link=True)
    assert wanted.path.stat().st_ino == source.stat().st_ino


def test_a_base_is_built_from_a_channel_by_http(lab: Lab) -> None:
    server = Server(lab.channel)
    try:
        lab.build(channels=(server.url,))
    finally:
        server.stop()
    publish(lab.site, ("tiny",), Offer(), lab.heard)
    assert lab.wrong() == []
    packages = [one for one in server.asked if one.endswith(".conda")]
    assert len(packages) == 2
