"""Static files, read once at the start: no disk on the loop, compressed beforehand.

Every address holds the digest of all files, `static/<digest>/js/app.js`, so that an
answer may be kept for ever and a new version is a new address, for imports between
modules and pictures named in style sheets too.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tornado.web import HTTPError, RequestHandler

from kqi_hub.face.headers import security_headers

_COMPRESSED: Final = frozenset({".css", ".js", ".svg", ".json", ".txt"})
_TYPES: Final = {".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    """One static file as it is sent."""

    type: str
    plain: bytes
    compressed: bytes | None


@dataclass(frozen=True, slots=True)
class Tree:
    """All static files, by path."""

    digest: str
    files: Mapping[str, File]

    def url(self, prefix: str, path: str) -> str:
        """Return a file's address; KeyError for one that is not there."""
        if path not in self.files:
            raise KeyError(f"no static file {path}: has .ci/prepare run?")
        return f"{prefix}static/{self.digest}/{path}"


def read_tree(folder: Path) -> Tree:
    """Read every file below a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): _read(path) for path in paths}
    digest = hashlib.sha256()
    for name, file in files.items():
        digest.update(f"{name}\0{len(file.plain)}\0".encode() + file.plain)
    return Tree(digest.hexdigest()[:16], files)


def _read(path: Path) -> File:
    plain = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    compressed = gzip.compress(plain, mtime=0) if path.suffix in _COMPRESSED else None
    return File(kind or "application/octet-stream", plain, compressed)


class StaticHandler(RequestHandler):
    """Send a static file."""

    def initialize(self, tree: Tree) -> None:
        """Take the files to send."""
        self.tree = tree

    def set_default_headers(self) -> None:
        """Keep browsers from guessing types."""
        self.clear_header("Server")
        for name, value in security_headers().items():
            self.set_header(name, value)

    def compute_etag(self) -> None:
        """Send none: the address itself names the content."""

    def get(self, digest: str, path: str) -> None:
        """Send the file, to be kept for ever if the address is the current one."""
        file = self.tree.files.get(path)
        if file is None:
            raise HTTPError(404)
        is_current = digest == self.tree.digest
        self.set_header("Cache-Control", _FOR_EVER if is_current else "no-cache")
        self.set_header("Content-Type", file.type)
        self.set_header("Vary", "Accept-Encoding")
        takes = self.request.headers.get("Accept-Encoding", "")
        if file.compressed and "gzip" in takes:
            self.set_header("Content-Encoding", "gzip")
            self.finish(file.compressed)
        else:
            self.finish(file.plain)

    def head(self, digest: str, path: str) -> None:
        """Answer as GET does; Tornado leaves the body out."""
        self.get(digest, path)

    def write_error(self, status_code: int, **_: object) -> None:
        """Say what is wrong in one line: browsers show it to nobody."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}\n")
