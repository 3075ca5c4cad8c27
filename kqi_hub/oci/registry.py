"""Ask a registry: what it has, which digest a tag stands for, and for the files."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPException, HTTPResponse
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit

from kqi_hub.oci.documents import (
    ACCEPTED,
    DIGEST,
    Blob,
    Manifest,
    architecture,
    checked,
    is_index,
    manifest_for,
    manifest_of,
)
from kqi_hub.oci.errors import BadImage, Unreachable
from kqi_hub.oci.http import Access, Door, read_all, read_json

MOST_NAMES: Final = 10_000
_PAGES: Final = 10
_DOCUMENT_BYTES: Final = 4 * 1024 * 1024
_PIECE: Final = 1 << 20
_NEXT: Final = re.compile(r'<([^<>]+)>\s*;[^,]*rel="?next"?', re.ASCII)
T = TypeVar("T")


class Registry:
    """One registry as one person sees it. Every method blocks and may raise errors."""

    def __init__(self, access: Access) -> None:
        self._door = Door(access)

    def repositories(self) -> tuple[str, ...]:
        """Return what it has; many registries do not tell this to anybody."""
        return self._names("/v2/_catalog?n=1000", "repositories", "registry:catalog:*")

    def tags(self, repository: str) -> tuple[str, ...]:
        """Return the tags of a repository."""
        path = f"/v2/{quote(repository)}/tags/list?n=1000"
        return self._names(path, "tags", _pull(repository))

    def digest(self, repository: str, tag: str) -> str:
        """Return what a tag stands for now: the digest of a manifest or an index."""
        raw = self._manifest(repository, tag)
        found = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        if DIGEST.fullmatch(tag) and found != tag:
            raise BadImage(f"The registry {self._door.host} gave another image.")
        # Whatever else is called so cannot be run: it is told before anybody waits.
        if not is_index(raw):
            manifest_of(raw)
        return found

    def manifest(self, repository: str, digest: str) -> Manifest:
        """Return the manifest for this machine of what has a digest."""
        raw = checked(self._manifest(repository, digest), digest)
        if is_index(raw):
            inner = manifest_for(raw, architecture())
            raw = checked(self._manifest(repository, inner), inner)
        return manifest_of(raw)

    def small(self, repository: str, blob: Blob) -> bytes:
        """Return a small file of an image, such as its configuration."""
        with self._blob(repository, blob) as answer:
            return checked(self._read(lambda: read_all(answer, _DOCUMENT_BYTES)),
                           blob.digest)  # fmt: skip

    def pieces(self, repository: str, blob: Blob) -> Iterator[bytes]:
        """Yield a file piece by piece; BadImage at the end if it was another one."""
        summed, left = hashlib.sha256(), blob.size
        with closing(self._blob(repository, blob)) as answer:
            while piece := self._read(lambda: answer.read(_PIECE)):
                left -= len(piece)
                if left < 0:
                    raise BadImage(f"{blob.digest} is longer than it should be.")
                summed.update(piece)
                yield piece
        if left:
            raise Unreachable(f"{blob.digest} broke off, {left} bytes before its end.")
        if f"sha256:{summed.hexdigest()}" != blob.digest:
            raise BadImage(f"{blob.digest} came with other contents.")

    def _manifest(self, repository: str, name: str) -> bytes:
        path = f"/v2/{quote(repository)}/manifests/{quote(name, safe=':')}"
        with self._door.open(path, ACCEPTED, _pull(repository)) as answer:
            return self._read(lambda: read_all(answer, _DOCUMENT_BYTES))

    def _blob(self, repository: str, blob: Blob) -> HTTPResponse:
        path = f"/v2/{quote(repository)}/blobs/{blob.digest}"
        return self._door.open(path, scope=_pull(repository))

    def _names(self, path: str, field: str, scope: str) -> tuple[str, ...]:
        """Return the names of a list that comes in pages."""
        found: list[str] = []
        for _ in range(_PAGES):
            with self._door.open(path, scope=scope) as answer:
                told = self._read(lambda: read_json(answer, _DOCUMENT_BYTES))
                following = answer.headers.get("Link") or ""
            found += _texts(told, field)
            # Of an address only its way counts: the registry stays the same.
            follows = _NEXT.search(following)
            if follows is None or len(found) >= MOST_NAMES:
                break
            place = urlsplit(follows[1])
            path = f"{place.path}?{place.query}"
        return tuple(found[:MOST_NAMES])

    def _read(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except (OSError, HTTPException, ValueError) as error:
            raise Unreachable(
                f"The registry {self._door.host} broke off: {error}"
            ) from error


def _texts(told: Any, field: str) -> list[str]:
    some = told.get(field) if isinstance(told, dict) else None
    return [one for one in some or () if isinstance(one, str)]


def _pull(repository: str) -> str:
    return f"repository:{repository}:pull"
