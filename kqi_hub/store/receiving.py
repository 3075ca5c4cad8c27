"""The addresses that take bytes: a part of one file, or a pack of many."""

import asyncio
import logging
from typing import Final

from tornado.web import stream_request_body

from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.tickets import Ticket
from kqi_hub.store.errors import WrongBody
from kqi_hub.store.face import FaceHandler, allow_body, refusal
from kqi_hub.store.packs import LONGEST_BYTES, PackReader
from kqi_hub.store.part import Part
from kqi_hub.store.upload import Upload

_LOG: Final = logging.getLogger(__name__)
# So much is hashed and written while the next as much is received.
_PIECE_BYTES: Final = 1024 * 1024
_MOST_FILES: Final = 1000
_MOST_BYTES: Final = 2**60
# A sender that says nothing for so long has gone, whatever its connection says.
SILENT_S: Final = 120.0


class Receiver(FaceHandler):
    """A handler whose body is worked on as it comes, a piece behind."""

    upload: Upload | None = None
    _ticket: Ticket
    _is_ending = False

    def initialize(self) -> None:
        """Begin with nothing."""
        self._working: asyncio.Future[None] | None = None
        self._watch: asyncio.TimerHandle | None = None

    async def open(self, key: str) -> Upload:
        """Use the upload of the caller's ticket until the request is over."""
        # Who is refused is heard out: else the answer is lost with the connection.
        allow_body(self.request, _MOST_BYTES)
        self._ticket = self.ticket(key)
        take = self.counter.house.uploads.take
        self.upload = await self.beside(take, self._ticket)
        self._heard()
        return self.upload

    async def settle(self) -> None:
        """Wait for the piece that is being worked on."""
        working, self._working = self._working, None
        if working is not None:
            await working

    async def data_received(self, chunk: bytes) -> None:
        """Take bytes; an error is answered at once, and what follows thrown away."""
        if self._finished:
            return
        self._heard()
        try:
            await self.take(chunk)
        except KqiError as error:
            self.set_status(error.status)
            self.answer(refusal(error))
        except Exception:  # noqa: BLE001  logged, and told as our own fault
            _LOG.exception("A body cannot be taken")
            self.send_error(500)

    async def put(self, key: str) -> None:
        """Answer when the whole body has been taken."""
        del key
        if not self._finished:
            self.answer(await self.told())

    async def take(self, chunk: bytes) -> None:
        """Take the bytes that follow."""
        raise NotImplementedError

    async def told(self) -> dict[str, object]:
        """Take what is left and return the answer."""
        raise NotImplementedError

    async def rescue(self) -> None:
        """Keep what came before a cut, and let go of everything."""
        raise NotImplementedError

    def on_connection_close(self) -> None:
        """End as well as a cut allows."""
        super().on_connection_close()
        self._begin_end()

    def on_finish(self) -> None:
        """Let go of everything."""
        self._begin_end()

    def _begin_end(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self.upload is not None and not self._is_ending:
            self._is_ending = True
            task = asyncio.ensure_future(self._end())
            self.counter.endings.add(task)
            task.add_done_callback(self.counter.endings.discard)

    async def _end(self) -> None:
        try:
            await self.settle()
            await self.rescue()
        except KqiError as error:
            _LOG.info("An upload was cut off: %s", error)
        finally:
            self.counter.house.uploads.leave(self._ticket)

    def _heard(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        loop = asyncio.get_running_loop()
        self._watch = loop.call_later(SILENT_S, self._hang_up)

    def _hang_up(self) -> None:
        stream = getattr(self.request.connection, "stream", None)
        if stream is not None:
            stream.close()


@stream_request_body
class FilePart(Receiver):
    """PUT uploads/KEY/file: bytes of one file, from an offset on."""

    _part: Part | None = None
    _sha256: str = ""

    async def prepare(self) -> None:
        """Find the file and check that the bytes follow."""
        self._buffer = bytearray()
        upload = await self.open(self.path_args[0])
        self._path, self._size = self.text("path"), self.number("size")
        offset = self.number("offset")
        found = await self.beside(
            upload.begin, self._ticket, self._path, self._size, offset, self
        )
        if isinstance(found, str):
            self._sha256 = found
        else:
            self._part = found

    async def take(self, chunk: bytes) -> None:
        """Collect a piece, and hand it on when the last one is written."""
        if self._part is None:
            return  # it is whole already
        self._buffer += chunk
        if len(self._buffer) >= _PIECE_BYTES:
            await self.settle()
            self._write(self._part)

    async def told(self) -> dict[str, object]:
        """Write the rest, and tell how far the file is."""
        if self._part is None or self.upload is None:
            return self._done(self._sha256)
        await self._write_rest(self._part)
        sha256 = await self.beside(self.upload.finish, self._path, self._part, self)
        if sha256 is None:
            here = self._part.offset
            return {"path": self._path, "offset": here, "done": False}
        return self._done(sha256)

    async def rescue(self) -> None:
        """Write what has come."""
        part, self._part = self._part, None
        if part is not None:
            try:
                await self._write_rest(part)
            finally:
                await self.beside(part.leave, self)

    async def _write_rest(self, part: Part) -> None:
        await self.settle()
        self._write(part)
        await self.settle()

    def _write(self, part: Part) -> None:
        piece, self._buffer = self._buffer, bytearray()
        if piece:
            self._working = asyncio.get_running_loop().run_in_executor(
                self.counter.threads, part.write, self, piece
            )

    def _done(self, sha256: str) -> dict[str, object]:
        done = {"path": self._path, "offset": self._size, "done": True}
        return {**done, "sha256": sha256}


@stream_request_body
class Pack(Receiver):
    """PUT uploads/KEY/pack: many small whole files."""

    async def prepare(self) -> None:
        """Open the upload."""
        self._reader = PackReader()
        self._files: list[tuple[str, bytes]] = []
        self._waiting = self._taken = self._bytes = self._came = 0
        await self.open(self.path_args[0])

    async def take(self, chunk: bytes) -> None:
        """Collect whole files, and hand them on a few at a time."""
        self._came += len(chunk)
        if self._came > LONGEST_BYTES:
            raise WrongBody(f"A pack has at most {LONGEST_BYTES} bytes.")
        for path, data in self._reader.feed(chunk):
            self._files.append((path, data))
            self._waiting += len(data)
        if self._waiting >= _PIECE_BYTES or len(self._files) >= _MOST_FILES:
            await self.settle()
            self._put()

    async def told(self) -> dict[str, object]:
        """Take the rest, and tell how much was taken."""
        await self.rescue()
        if not self._reader.is_between_files:
            raise WrongBody("The pack is cut off; the whole files in it are kept.")
        return {"taken": self._taken, "bytes": self._bytes}

    async def rescue(self) -> None:
        """Take the whole files before a cut."""
        await self.settle()
        self._put()
        await self.settle()

    def _put(self) -> None:
        files, self._files, self._waiting = self._files, [], 0
        if files and self.upload is not None:
            self._working = asyncio.ensure_future(self._add(self.upload, files))

    async def _add(self, upload: Upload, files: list[tuple[str, bytes]]) -> None:
        await self.beside(upload.put, self._ticket, files)
        self._taken += len(files)
        self._bytes += sum(len(data) for _, data in files)
