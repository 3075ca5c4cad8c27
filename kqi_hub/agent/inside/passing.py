"""Pass a request on to a program in a job, and its answer back, as they come."""

import asyncio
from contextlib import suppress
from typing import Any, Final

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError
from tornado.web import HTTPError

from kqi_hub.agent.inside.headers import outward

_LARGEST: Final = 10**15
_LONGEST_HEAD: Final = 64 * 1024
_PARAMETERS: Final = HTTP1ConnectionParameters(
    no_keep_alive=True, max_body_size=_LARGEST, max_header_size=_LONGEST_HEAD,
    chunk_size=64 * 1024,
)  # fmt: skip


class Answer(HTTPMessageDelegate):
    """Take what a program answers, and give it to the browser."""

    def __init__(self, handler: Any, prefix: str) -> None:
        self._handler, self._prefix = handler, prefix
        self.has_begun = False
        self.is_whole = False

    async def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Begin the answer; what says only that one is to come is not passed on."""
        code = int(start_line[1])
        if code < 200:
            return
        self.has_begun = True
        shown = list(outward(headers, self._prefix, str(self._handler.request.host)))
        # A body whose length is told is sent with it: browsers show how far it is.
        length = headers.get("Content-Length", "")
        if length.isascii() and length.isdigit():
            shown.append(("Content-Length", length))
        self._handler.begin_answer(code, shown)
        await self._flushed()

    async def data_received(self, chunk: bytes) -> None:
        """Send a piece, no faster than the browser takes it."""
        self._handler.write(chunk)
        await self._flushed()

    async def _flushed(self) -> None:
        with suppress(StreamClosedError):  # whoever waits is told that it has left
            await self._handler.flush()

    def finish(self) -> None:
        """Note that nothing is missing."""
        self.is_whole = True

    def on_connection_close(self) -> None:
        """Leave it to whoever waits."""


class Passing:
    """One request on its way."""

    def __init__(self, stream: IOStream) -> None:
        self._stream = stream
        self._connection = HTTP1Connection(stream, True, _PARAMETERS)

    async def begin(self, method: str, path: str, headers: HTTPHeaders) -> None:
        """Send the head."""
        headers["Connection"] = "close"
        line = RequestStartLine(method, path, "")
        with suppress(StreamClosedError):  # its answer, if any, says more
            await self._connection.write_headers(line, headers)

    async def send(self, chunk: bytes) -> None:
        """Send a piece of the body."""
        with suppress(StreamClosedError):
            await self._connection.write(chunk)

    async def answered(self, answer: Answer) -> None:
        """Take the answer; HTTPError 502 when there is none."""
        with suppress(StreamClosedError):
            self._connection.finish()
        try:
            await self._connection.read_response(answer)
        except (StreamClosedError, OSError):
            answer.is_whole = False
        if not answer.has_begun:
            raise HTTPError(502)

    def close(self) -> None:
        """Let go of it."""
        self._stream.close()


async def pipe(browser: IOStream, program: IOStream) -> None:
    """Carry a WebSocket's bytes both ways, until either side is gone."""
    ways = [
        asyncio.create_task(_carry(browser, program)),
        asyncio.create_task(_carry(program, browser)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        browser.close()
        program.close()


async def _carry(source: IOStream, sink: IOStream) -> None:
    with suppress(StreamClosedError):
        while True:
            await sink.write(await source.read_bytes(64 * 1024, partial=True))
