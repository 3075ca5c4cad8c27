"""Fetch data to this machine through one's agent: whole, or what is not here yet."""

import hashlib
import tarfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, cast

from kqi_hub.sdk.agent_calls import AgentCalls
from kqi_hub.sdk.data import DataCalls, DataFile
from kqi_hub.sdk.errors import NotReachable, PortalError
from kqi_hub.sdk.file_names import query, travelling
from kqi_hub.sdk.fold import Fold
from kqi_hub.sdk.upload_progress import Meter, Tell

_CHUNK: Final = 1024 * 1024
_AT_ONCE: Final = 4
_TRIES: Final = 6
_PAUSE_S: Final = 0.5
_TELL_EVERY_S: Final = 0.1
_PART: Final = ".kqi-part"


class DownloadCalls(AgentCalls, DataCalls):
    """The part of `Client` that fetches data."""

    def download_data(
        self, data_id: int, destination: Path, tell: Tell | None = None
    ) -> int:
        """Fetch all files of a data item; return how many there are.

        What is here already, by its hash, is kept; a file cut off goes on. Every file
        is compared with the hash that the portal says.
        """
        item = self.data_item(data_id)
        fetch = _Fetch(self, item.tenant, data_id, destination)
        meter = Meter(item.files, item.bytes)
        is_new = not destination.exists() or not any(destination.iterdir())
        destination.mkdir(parents=True, exist_ok=True)
        # An agent that does not start at all is no interruption.
        self._agent("GET", "health")
        if is_new and item.files:
            with suppress(NotReachable, tarfile.TarError):
                if self._unpack(fetch, meter, tell) == _listed(self, data_id):
                    return item.files
            # Cut off, or changed meanwhile: look at each file.
            fetch.is_all_ours = True
            meter = Meter(item.files, item.bytes)
        self._fetch_each(fetch, meter, tell)
        return item.files

    def _unpack(self, fetch: "_Fetch", meter: Meter, tell: Tell | None) -> Fold:
        """Take everything as one archive, which is quick for many small files."""
        got = Fold()
        pulse = _Pulse(meter, tell)
        asked = query(root=fetch.root, path=fetch.data_id, format="tar")
        with self._agent_stream("GET", f"files/archive?{asked}", {}) as answer:
            source = cast("IO[bytes]", _Stream(answer.iter_bytes(_CHUNK)))
            with tarfile.open(fileobj=source, mode="r|", encoding="utf-8") as archive:
                for member in archive:
                    path = fetch.path_of(member)
                    content = archive.extractfile(member) if path else None
                    if path and content:
                        got.add(path, fetch.keep(path, content, pulse))
                        meter.kept()
        return got

    def _fetch_each(self, fetch: "_Fetch", meter: Meter, tell: Tell | None) -> None:
        pulse = _Pulse(meter, tell)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            under_way: set[Future[None]] = set()
            try:
                for one in self.data_files(fetch.data_id):
                    under_way.add(threads.submit(fetch.one, one, meter))
                    while len(under_way) >= 2 * _AT_ONCE:
                        under_way = _settled(under_way, pulse)
                while under_way:
                    under_way = _settled(under_way, pulse)
            finally:
                fetch.stop.set()
                for one_left in under_way:
                    one_left.cancel()


class _Fetch:
    """One data item on its way to a folder here."""

    def __init__(
        self, calls: DownloadCalls, tenant: str, data_id: int, destination: Path
    ) -> None:
        self._calls, self._to = calls, destination
        self.root, self.data_id = f"data:{tenant}", data_id
        self.stop = threading.Event()
        # Whether all that lies there came from us just now, and may be wrong.
        self.is_all_ours = False

    def path_of(self, member: tarfile.TarInfo) -> str:
        """Return a file's path within the item; empty for all that is no file of it."""
        top, _, path = member.name.partition("/")
        if not member.isreg() or top != str(self.data_id) or not path:
            return ""
        return _checked(path)

    def keep(self, path: str, content: IO[bytes], pulse: "_Pulse") -> str:
        """Write a file and return its hash; it has its name when it is whole."""
        digest = hashlib.sha256()
        part = self._part(path)
        with part.open("wb") as file:
            while piece := content.read(_CHUNK):
                digest.update(piece)
                file.write(piece)
                pulse(len(piece))
        part.replace(self._to / path)
        return digest.hexdigest()

    def one(self, wanted: DataFile, meter: Meter) -> None:
        """Fetch a file that is not here, from where it was cut off."""
        path = _checked(wanted.path)
        place = self._to / path
        if place.is_file() and _is(place, wanted):
            meter.had(1, wanted.size)
            return
        if self.is_all_ours:
            place.unlink(missing_ok=True)
        part = self._part(path)
        for attempt in range(_TRIES):
            try:
                self._pull(wanted, part, meter)
                break
            except NotReachable as error:
                if attempt + 1 == _TRIES or self.stop.is_set():
                    raise NotReachable(
                        f"{wanted.path} was cut off again and again.",
                        "Run the same command again: what is here is kept.",
                    ) from error
                self.stop.wait(_PAUSE_S * 2**attempt)
        if not _is(part, wanted):
            part.unlink()
            raise PortalError(
                f"{wanted.path} has another SHA-256 than the portal says.",
                "Run the same command again; if it stays so, tell the operators.",
            )
        part.replace(place)
        meter.kept()

    def _pull(self, wanted: DataFile, part: Path, meter: Meter) -> None:
        have = part.stat().st_size if part.exists() else 0
        if have > wanted.size:
            part.unlink()
            have = 0
        if have == wanted.size:
            part.touch()
            return
        path = f"{self.data_id}/{travelling(wanted.path)}"
        address = f"files/content?{query(root=self.root, path=path)}"
        headers = {"Range": f"bytes={have}-"} if have else {}
        with self._calls._agent_stream("GET", address, headers) as answer:
            is_rest = answer.status_code == 206
            meter.had(0, have if is_rest else 0)
            with part.open("ab" if is_rest else "wb") as file:
                for piece in answer.iter_bytes(_CHUNK):
                    file.write(piece)
                    meter.sent(len(piece))

    def _part(self, path: str) -> Path:
        place = self._to / path
        place.parent.mkdir(parents=True, exist_ok=True)
        return place.with_name(f".{place.name[:200]}{_PART}")


class _Stream:
    """Pieces, read as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = bytearray()

    def read(self, count: int) -> bytes:
        """Return that many bytes, or fewer at the end."""
        while len(self._rest) < count:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._rest += piece
        found = bytes(self._rest[:count])
        del self._rest[:count]
        return found


class _Pulse:
    """Count bytes, and tell how far it is, now and then."""

    def __init__(self, meter: Meter, tell: Tell | None) -> None:
        self._meter, self._tell = meter, tell
        self._told_at = 0.0

    def __call__(self, size: int = 0) -> None:
        if size:
            self._meter.sent(size)
        now = time.monotonic()
        if self._tell is not None and now - self._told_at >= _TELL_EVERY_S:
            self._told_at = now
            self._tell(self._meter.now())


def _settled(under_way: set[Future[None]], pulse: _Pulse) -> set[Future[None]]:
    """Return what is still under way; raise what one has met."""
    pulse()
    done, left = wait(under_way, timeout=_TELL_EVERY_S, return_when=FIRST_COMPLETED)
    for one in done:
        error = one.exception()
        if error is not None:
            raise error
    return left


def _checked(path: str) -> str:
    """Return a path that leads nowhere else; the store keeps no other."""
    names = path.split("/")
    if any(name in {"", ".", ".."} or "\0" in name for name in names):
        raise PortalError(f"{path!a} is no path of a file in data.", "Tell somebody.")
    return path


def _is(place: Path, wanted: DataFile) -> bool:
    if place.stat().st_size != wanted.size:
        return False
    digest = hashlib.sha256()
    for piece in _pieces(place):
        digest.update(piece)
    return digest.hexdigest() == wanted.sha256


def _pieces(place: Path) -> Iterator[bytes]:
    with place.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece


def _listed(calls: DataCalls, data_id: int) -> Fold:
    found = Fold()
    for one in calls.data_files(data_id):
        found.add(one.path, one.sha256)
    return found
