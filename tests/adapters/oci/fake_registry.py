"""A registry of images for tests: a fake, small, with the faults that one may have."""

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kqi_hub.oci.documents import architecture

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
TOKEN = "a-token-for-tests"


def digest_of(raw: bytes) -> str:
    """Return the digest that a registry knows something by."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def layer_of(entries: Sequence[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """Return a packed layer with these entries, in this order."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for member, content in entries:
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), 1)


def file_entry(
    name: str, content: bytes = b"", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    """Return a file for a layer."""
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(content), mode, 1_700_000_000
    return member, content


def entry(
    name: str, kind: bytes, target: str = "", mode: int = 0o755
) -> tuple[tarfile.TarInfo, bytes]:
    """Return a folder, a link or something stranger for a layer."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode = kind, target, mode
    return member, b""


@dataclass
class FakeRegistry:
    """What it has, whom it lets in, and what is wrong with it."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    url: str = ""
    login: str = ""  # "", "basic" or "bearer"
    user: str = "alice"
    password: str = "pass word"
    elsewhere: str = ""  # where blobs are redirected to
    breaks_off: int = 0  # so many blobs come in part only
    # Path and Authorization of everything that it was asked for.
    asked: list[tuple[str, str]] = field(default_factory=list)

    def add(
        self,
        repository: str,
        tag: str,
        layers: Sequence[bytes],
        env: Sequence[str] = (),
        is_index: bool = False,
    ) -> str:
        """Take an image in; return the digest that its tag stands for."""
        config = json.dumps({"config": {"Env": list(env)}}).encode()
        manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._blob(config),
            "layers": [self._blob(one) for one in layers],
        }
        found = self.put(repository, tag, MANIFEST, manifest)
        if not is_index:
            return found
        place = {"os": "linux", "architecture": architecture()}
        other = {"os": "linux", "architecture": "s390x"}
        listed = [
            {"digest": digest_of(b"other"), "size": 1, "platform": other},
            {"digest": found, "size": 1, "platform": place},
        ]
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}
        return self.put(repository, tag, INDEX, index)

    def put(self, repository: str, tag: str, kind: str, told: Mapping[str, Any]) -> str:
        """Take a document in as it is; return its digest."""
        raw = json.dumps(told).encode()
        for name in (tag, digest_of(raw)):
            self.manifests[repository, name] = (kind, raw)
        return digest_of(raw)

    def paths(self) -> list[str]:
        """Return what it was asked for."""
        return [path for path, _ in self.asked]

    def _blob(self, raw: bytes) -> dict[str, Any]:
        self.blobs[digest_of(raw)] = raw
        return {"digest": digest_of(raw), "size": len(raw), "mediaType": "x"}


@contextmanager
def serving(registry: FakeRegistry) -> Iterator[FakeRegistry]:
    """Serve it on a free port of this machine."""

    class Handler(_Handler):
        it = registry

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    registry.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    it: FakeRegistry

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        word = self.headers.get("Authorization", "")
        self.it.asked.append((self.path, word))
        if place.path == "/token":
            self._token(parse_qs(place.query), word)
        elif not self._is_let_in(word):
            self._challenge()
        else:
            self._answer(place.path.removeprefix("/v2/"), parse_qs(place.query))

    def _is_let_in(self, word: str) -> bool:
        if self.it.login == "bearer":
            return word == f"Bearer {TOKEN}"
        return self.it.login == "" or word == self._basic()

    def _basic(self) -> str:
        plain = f"{self.it.user}:{self.it.password}".encode()
        return f"Basic {base64.b64encode(plain).decode()}"

    def _challenge(self) -> None:
        wanted = 'Basic realm="all"'
        if self.it.login == "bearer":
            wanted = f'Bearer realm="{self.it.url}/token",service="fake"'
        self._send(401, b"{}", {"WWW-Authenticate": wanted})

    def _token(self, asked: dict[str, list[str]], word: str) -> None:
        is_right = word == self._basic() and asked["service"] == ["fake"]
        self._send(200 if is_right else 401, json.dumps({"token": TOKEN}).encode())

    def _answer(self, way: str, asked: dict[str, list[str]]) -> None:
        if way == "_catalog":
            names = sorted({name for name, _ in self.it.manifests})
            self._list("repositories", names, asked, "/v2/_catalog")
            return
        repository, _, rest = way.rpartition("/")
        repository, _, kind = repository.rpartition("/")
        if kind == "tags":
            tags = [tag for name, tag in self.it.manifests if name == repository]
            plain = sorted(tag for tag in tags if ":" not in tag)
            if plain:
                self._list("tags", plain, asked, f"/v2/{repository}/tags/list")
                return
        if kind == "manifests" and (repository, rest) in self.it.manifests:
            media, raw = self.it.manifests[repository, rest]
            self._send(200, raw, {"Content-Type": media})
        elif kind == "blobs" and rest in self.it.blobs:
            self._blob(rest)
        else:
            self._send(404, b"{}")

    def _list(
        self, field: str, names: list[str], asked: dict[str, list[str]], way: str
    ) -> None:
        """Answer two at a time."""
        last = asked.get("last", [""])[0]
        left = [one for one in names if one > last]
        headers = {}
        if len(left) > 2:
            headers["Link"] = f'<{way}?n=2&last={left[1]}>; rel="next"'
        self._send(200, json.dumps({field: left[:2]}).encode(), headers)

    def _blob(self, digest: str) -> None:
        if self.it.elsewhere:
            self._send(307, b"", {"Location": f"{self.it.elsewhere}{self.path}"})
            return
        raw = self.it.blobs[digest]
        if self.it.breaks_off:
            self.it.breaks_off -= 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw[: len(raw) // 2])
            self.close_connection = True
            return
        self._send(200, raw)

    def _send(
        self, status: int, raw: bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""
