"""The addresses that take bytes: a part of one file, or a pack of many."""

from collections.abc import Callable
from typing import Final

from tornado.web import stream_request_body

from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.tickets import Ticket
from kqi_hub.store.errors import NeedsLength, WrongBody
from kqi_hub.store.face import HEADERS, FaceHandler, allow_body, refusal
from kqi_hub.store.packs import LONGEST_BYTES, PackReader
from kqi_hub.store.part import Part
from kqi_hub.store.straight import Body, Work, check_room, let_room, receive
from kqi_hub.store.upload import Upload

# So much of a pack is kept at a time: a list is not written for each small file.
_PIECE_BYTES: Final = 1024 * 1024
_MOST_FILES: Final = 1000
_MOST_BYTES: Final = 2**60


@stream_request_body
class Receiver(FaceHandler):
    """A handler that leaves the body to a thread, and the connection with it."""

    async def prepare(self) -> None:
        """Look at everything before the body; what is refused is refused here."""
        ticket = self.ticket(self.path_args[0])
        length = self._length()
        check_room()
        allow_body(self.request, _MOST_BYTES)
        try:
            work = await self.beside(self._begun, ticket)
        except BaseException:
            let_room()
            raise
        expects = self.request.headers.get("Expect", "").lower() == "100-continue"
        headers = tuple(HEADERS.items())
        await receive(self.detach(), Body(length, expects, work, headers, refusal))

    def data_received(self, chunk: bytes) -> None:
        """Throw away what follows a refusal."""

    async def put(self, key: str) -> None:
        """Do nothing: the answer is the thread's."""

    def begin(self, ticket: Ticket, upload: Upload) -> Work:
        """Return what is done with the body; may block."""
        raise NotImplementedError

    def _begun(self, ticket: Ticket) -> Work:
        """Return what is done with the body: to hear out whoever is refused, too.

        Else the answer would be lost with the connection.
        """
        uploads = self.counter.house.uploads
        try:
            upload = uploads.take(ticket)
        except (KqiError, OSError) as error:
            return _Refused(error)
        try:
            work = self.begin(ticket, upload)
        except (KqiError, OSError) as error:
            work = _Refused(error)
        return _Leaving(work, lambda: uploads.leave(ticket))

    def _length(self) -> int:
        text = self.request.headers.get("Content-Length", "")
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise NeedsLength("Send the body's length: `Content-Length`.")
        return int(text)


class FilePart(Receiver):
    """PUT uploads/KEY/file: bytes of one file, from an offset on."""

    def begin(self, ticket: Ticket, upload: Upload) -> Work:
        """Find the file and check that the bytes follow."""
        path, size = self.text("path"), self.number("size")
        offset = self.number("offset")
        sender = object()
        found = upload.begin(ticket, path, size, offset, sender)
        if isinstance(found, str):
            return _Whole(path, size, found)
        return _Growing(upload, path, found, sender)


class Pack(Receiver):
    """PUT uploads/KEY/pack: many small whole files."""

    def begin(self, ticket: Ticket, upload: Upload) -> Work:
        """Begin to read a pack."""
        if self._length() > LONGEST_BYTES:
            raise WrongBody(f"A pack has at most {LONGEST_BYTES} bytes.")
        return _Packed(ticket, upload)


class _Leaving:
    """Some work, and what is let go of after it."""

    def __init__(self, work: Work, leave: Callable[[], None]) -> None:
        self._work, self._leave = work, leave
        self.take, self.told = work.take, work.told

    def end(self) -> None:
        """Let go of everything."""
        try:
            self._work.end()
        finally:
            self._leave()


class _Refused:
    """What cannot be taken: the first bytes are told why."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def take(self, piece: memoryview) -> None:
        """Refuse it."""
        raise self._error

    def told(self) -> dict[str, object]:
        raise self._error

    def end(self) -> None:
        """Nothing is open."""


class _Whole:
    """A file that is here already: what comes is thrown away."""

    def __init__(self, path: str, size: int, sha256: str) -> None:
        self._told = _done(path, size, sha256)

    def take(self, piece: memoryview) -> None:
        """Throw it away."""

    def told(self) -> dict[str, object]:
        return self._told

    def end(self) -> None:
        """Nothing is open."""


class _Growing:
    """A file that grows."""

    def __init__(self, upload: Upload, path: str, part: Part, sender: object) -> None:
        self._upload, self._path = upload, path
        self._part, self._sender = part, sender

    def take(self, piece: memoryview) -> None:
        self._part.write(self._sender, piece)

    def told(self) -> dict[str, object]:
        part, path = self._part, self._path
        sha256 = self._upload.finish(path, part, self._sender)
        if sha256 is None:
            return {"path": path, "offset": part.offset, "done": False}
        return _done(path, part.size, sha256)

    def end(self) -> None:
        self._part.leave(self._sender)


class _Packed:
    """Files of a pack, kept a few at a time."""

    def __init__(self, ticket: Ticket, upload: Upload) -> None:
        self._ticket, self._upload = ticket, upload
        self._reader = PackReader()
        self._files: list[tuple[str, bytes]] = []
        self._waiting = self._taken = self._bytes = 0

    def take(self, piece: memoryview) -> None:
        for path, data in self._reader.feed(piece):
            self._files.append((path, data))
            self._waiting += len(data)
        if self._waiting >= _PIECE_BYTES or len(self._files) >= _MOST_FILES:
            self._put()

    def told(self) -> dict[str, object]:
        self._put()
        if not self._reader.is_between_files:
            raise WrongBody("The pack is cut off; the whole files in it are kept.")
        return {"taken": self._taken, "bytes": self._bytes}

    def end(self) -> None:
        """Keep the whole files before a cut."""
        self._put()

    def _put(self) -> None:
        files, self._files, self._waiting = self._files, [], 0
        if files:
            self._upload.put(self._ticket, files)
            self._taken += len(files)
            self._bytes += sum(len(data) for _, data in files)


def _done(path: str, size: int, sha256: str) -> dict[str, object]:
    return {"path": path, "offset": size, "done": True, "sha256": sha256}
