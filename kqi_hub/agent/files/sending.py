"""Contents of files, whole or in part, never more in memory than a piece."""

import os
from contextlib import AsyncExitStack, suppress
from email.utils import formatdate
from typing import Final

from tornado.iostream import StreamClosedError

from kqi_hub.agent.files.handler import FileHandler
from kqi_hub.agent.files.places import Found, Place, opened_file
from kqi_hub.agent.files.ranges import NoSuchRange, Span, disposition, span_of
from kqi_hub.agent.files.viewing import head_of_image

PIECE_BYTES: Final = 256 * 1024
# Whatever it says it is: drawn or saved, never run, in no name of ours.
_SANDBOX: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"


class Sender(FileHandler):
    """A route that answers with the bytes of a file."""

    async def send_image(self, place: Place) -> None:
        """Send an image to be drawn; its type is told by its bytes."""
        kind = await self.work(head_of_image, place)
        self.set_header("Content-Type", kind)
        await self._send(place, "inline")

    async def send_download(self, place: Place, name: str = "") -> None:
        """Send a file to be saved, under another name if one is given."""
        self.set_header("Content-Type", "application/octet-stream")
        await self._send(place, "attachment", name)

    async def _send(self, place: Place, kind: str, name: str = "") -> None:
        async with AsyncExitStack() as stack:
            opening = opened_file(place)
            file, held = await self.work(opening.__enter__)
            stack.callback(opening.__exit__, None, None, None)
            stack.enter_context(self.agent.use.held())
            shown = disposition(name or place.names[-1], kind)
            self.set_header("Content-Disposition", shown)
            self.set_header("Content-Security-Policy", _SANDBOX)
            self.set_header("Accept-Ranges", "bytes")
            self.set_header("ETag", f'"{held.version}"')
            modified = formatdate(held.info.st_mtime, usegmt=True)
            self.set_header("Last-Modified", modified)
            part = self._span(held, modified)
            if part is None:
                return
            self.set_header("Content-Length", part.end - part.start)
            if self.request.method == "HEAD":
                return
            with suppress(StreamClosedError):
                await self._pour(file, part)

    def _span(self, held: Found, modified: str) -> Span | None:
        """Return what is asked for, of this very edition; None when it is refused."""
        size = held.info.st_size
        condition = self.request.headers.get("If-Range")
        is_same = condition in {None, f'"{held.version}"', modified}
        header = self.request.headers.get("Range") if is_same else None
        try:
            part = span_of(header, size)
        except NoSuchRange:
            # Errors that are raised lose their headers.
            self.set_status(416)
            self.set_header("Content-Range", f"bytes */{size}")
            self.answer({"error": "range", "message": f"The file has {size} bytes."})
            return None
        if not part.is_whole:
            self.set_status(206)
            self.set_header(
                "Content-Range", f"bytes {part.start}-{part.end - 1}/{size}"
            )
        return part

    async def _pour(self, file: int, part: Span) -> None:
        position = part.start
        while position < part.end and not self.leaving.is_gone:
            most = min(PIECE_BYTES, part.end - position)
            piece = await self.work(os.pread, file, most, position)
            if not piece:  # it became shorter: the reader must not take this for whole
                self.break_off()
                return
            position += len(piece)
            self.write(piece)
            await self.flush_soon()
