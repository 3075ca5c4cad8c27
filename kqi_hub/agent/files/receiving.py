"""Receive a file as it comes, in pieces; whatever breaks, what has come stays."""

import asyncio
import time
from contextlib import suppress
from typing import Any, Final

from tornado.web import Finish, stream_request_body

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files import handler
from kqi_hub.agent.files.handler import fields_of
from kqi_hub.agent.files.names import one_name, travelling
from kqi_hub.agent.files.parts import CHOICES, Announced, Part
from kqi_hub.agent.files.sending import Sender

_PIECE_BYTES: Final = 512 * 1024
_LARGEST: Final = 10**15
_LONGEST_MARK: Final = 200
_TAKE_OVER_S: Final = 5.0
_DRAINED_BYTES: Final = 16 * 1024 * 1024


@stream_request_body
class Content(Sender):
    """api/files/content?root&path: GET saves a file, PUT sends one."""

    _incoming: Part | None = None
    _key: tuple[int, int] | None = None
    _silence: asyncio.TimerHandle | None = None

    async def prepare(self) -> None:
        """Let the owner in; before a byte is taken, say whether it is wanted."""
        await super().prepare()
        self._piece = bytearray()
        self._one_at_a_time = asyncio.Lock()
        if self.request.method != "PUT":
            return
        connection: Any = self.request.connection
        # What is refused is read to its end if it is short, so that the answer arrives.
        connection.set_max_body_size(_DRAINED_BYTES)
        self.require_token()
        announced = self._announced()
        place = self.place()
        place.require_name()
        self._refuse_long(announced)
        part = await self.work(Part, place, announced)
        await self._take_over(part)
        connection.set_max_body_size(max(_DRAINED_BYTES, announced.size))
        self.agent.use.hold()
        self._incoming = part
        self._watch()

    async def data_received(self, chunk: bytes) -> None:
        """Take a piece."""
        if self._incoming is None:
            return
        self._watch()
        self._piece += chunk
        if len(self._piece) >= _PIECE_BYTES:
            await self._write()

    async def put(self) -> None:
        """Answer: how much is here, or that it is complete and what it is called."""
        await self._write()
        async with self._one_at_a_time:
            part = self._incoming
            if part is None:
                raise Problem(409, "busy", "This file is being sent once more.")
            if part.position < part.size:
                where = {"offset": part.position, "size": part.size}
                return self.answer(fields_of(part.place, done=False, **where))
            said = await self.work(_finished, part)
        self.set_status(201)
        return self.answer(said)

    async def get(self) -> None:
        """Send it, to be saved under its own name or another."""
        await self.send_download(self.place(), self._saved_as())

    async def head(self) -> None:
        """Tell how long it is."""
        await self.send_download(self.place(), self._saved_as())

    def _saved_as(self) -> str:
        name = self.said("save_as", "")
        return one_name(name) if name else ""

    def on_finish(self) -> None:
        """Let go of the part."""
        self._end()

    def on_connection_close(self) -> None:
        """Keep what has come."""
        super().on_connection_close()
        self._end()

    def _announced(self) -> Announced:
        mark = self.said("mark", "")
        if len(mark) > _LONGEST_MARK:
            raise Problem(400, "invalid-input", "`mark` is too long.")
        size = self.number("size", None, 0, _LARGEST)
        return Announced(
            size=size,
            offset=self.number("offset", 0, 0, size),
            mark=mark,
            exists=self.choice("exists", CHOICES),
            parents=self.choice("parents", ("0", "1")) == "1",
        )

    def _refuse_long(self, announced: Announced) -> None:
        length = self.request.headers.get("Content-Length", "0")
        if int(length) > announced.size - announced.offset:
            raise Problem(
                413, "too-much", "More is coming than `size` and `offset` say."
            )

    async def _take_over(self, part: Part) -> None:
        """Push an earlier attempt aside, whose connection may be dead for long."""
        active = self.workers.receiving
        until = time.monotonic() + _TAKE_OVER_S
        while (other := active.get(part.key)) is not None:
            if time.monotonic() > until:
                await self.work(part.close)
                raise Problem(409, "busy", "This file is being sent by another page.")
            other()
            await asyncio.sleep(0.02)
        self._key = part.key
        active[part.key] = self.break_off

    def _watch(self) -> None:
        """Give up a sender that sends nothing for long."""
        self._unwatch()
        loop = asyncio.get_running_loop()
        self._silence = loop.call_later(handler.SILENT_S, self.break_off)

    def _unwatch(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    async def _write(self) -> None:
        async with self._one_at_a_time:
            piece, self._piece = self._piece, bytearray()
            if piece and self._incoming is not None:
                await self.work(self._incoming.write, piece)

    def _end(self) -> None:
        self._unwatch()
        if self._key is not None:
            self.workers.in_background(self._put_down())

    async def _put_down(self) -> None:
        """Keep what has come, for the next attempt."""
        with suppress(Problem, Finish):
            await self._write()
        async with self._one_at_a_time:
            part, self._incoming = self._incoming, None
            if part is None or self._key is None:
                return
            del self.workers.receiving[self._key]
            self.agent.use.let_go()
            await self.work(part.close)


def _finished(part: Part) -> dict[str, object]:
    name, version = part.finish()
    path = "/".join(filter(None, [part.place.folder.path, travelling(name)]))
    return {
        "root": part.place.root.name, "path": path, "done": True,
        "offset": part.size, "size": part.size, "version": version,
    }  # fmt: skip
