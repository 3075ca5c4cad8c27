"""Many connections over one pair of pipes, each with a window of its own.

A reader who is slow fills its own window and nobody else's; what waits in memory is
bounded by the windows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from kqi_hub.agent.inside.frames import (
    MOST_BYTES,
    BadFrame,
    Frame,
    Kind,
    credit,
    credited,
    packed,
    read_frame,
)

WINDOW_BYTES: Final = 256 * 1024
MOST_CHANNELS: Final = 200


class Refused(Exception):
    """The other end does not open it; the message is for people."""


class Broken(Exception):
    """The other end is gone."""


class Channel:
    """One connection."""

    def __init__(self, number: int, send: Callable[[Frame], Awaitable[None]]) -> None:
        self.number = number
        self._send = send
        self._may_send = WINDOW_BYTES
        self._more = asyncio.Event()
        self._waiting = 0
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_broken = False

    def take(self, frame: Frame) -> None:
        """Note what has come for it; raises BadFrame when that is too much."""
        match frame.kind:
            case Kind.DATA:
                self._waiting += len(frame.body)
                if self._waiting > WINDOW_BYTES:
                    raise BadFrame("more than the window")
                self._inbox.put_nowait(frame.body)
            case Kind.END:
                self._inbox.put_nowait(b"")
            case Kind.CREDIT:
                self._may_send += credited(frame)
                self._more.set()
            case Kind.RESET:
                self.break_off()
            case Kind.OPENED:
                self._settle(None)
            case _:
                self._settle(Refused(frame.body.decode(errors="replace")))

    def break_off(self) -> None:
        """Let both directions end."""
        self.is_broken = True
        self._settle(Broken())
        self._inbox.put_nowait(None)
        self._more.set()

    def _settle(self, error: Exception | None) -> None:
        if self.opened.done():
            return
        if error is None:
            self.opened.set_result(None)
        else:
            self.opened.set_exception(error)
            self.opened.exception()  # whoever opened it may have left

    async def relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry both directions between a connection and the other end, to the end."""
        ways = [
            asyncio.create_task(self._carry_out(reader)),
            asyncio.create_task(self._carry_in(writer)),
        ]
        try:
            await asyncio.gather(*ways)
        except (OSError, Broken):
            with suppress(OSError):
                await self._send(Frame(self.number, Kind.RESET))
        finally:
            for way in ways:
                way.cancel()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _carry_out(self, reader: asyncio.StreamReader) -> None:
        while True:
            while self._may_send <= 0 and not self.is_broken:
                self._more.clear()
                await self._more.wait()
            if self.is_broken:
                raise Broken
            data = await reader.read(min(MOST_BYTES, self._may_send))
            if not data:
                return await self._send(Frame(self.number, Kind.END))
            self._may_send -= len(data)
            await self._send(Frame(self.number, Kind.DATA, data))

    async def _carry_in(self, writer: asyncio.StreamWriter) -> None:
        while True:
            data = await self._inbox.get()
            if data is None:
                raise Broken
            if not data:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(data)
            await writer.drain()
            self._waiting -= len(data)
            await self._send(credit(self.number, len(data)))


class Channels:
    """The channels over one pair of pipes."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader, self._writer = reader, writer
        self._one_at_a_time = asyncio.Lock()
        self._channels: dict[int, Channel] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._channels)

    async def send(self, frame: Frame) -> None:
        """Send a frame; whoever fills the pipe waits."""
        async with self._one_at_a_time:
            self._writer.write(packed(frame))
            await self._writer.drain()

    def known(self, number: int) -> Channel:
        """Begin to know a channel."""
        channel = self._channels[number] = Channel(number, self.send)
        return channel

    def forget(self, channel: Channel) -> None:
        """Forget a channel that has ended."""
        self._channels.pop(channel.number, None)

    async def open(self, target: bytes) -> Channel:
        """Have the other end connect; Refused or Broken when it does not."""
        if len(self) >= MOST_CHANNELS:
            raise Refused("Too many connections are open already.")
        self._last += 1
        channel = self.known(self._last)
        try:
            await self.send(Frame(channel.number, Kind.OPEN, target))
            await channel.opened
        except OSError as error:
            self.forget(channel)
            raise Broken from error
        except BaseException:
            self.forget(channel)
            raise
        return channel

    async def run(self, welcome: Callable[[Frame], None] | None = None) -> None:
        """Read frames until the other end is gone; `welcome` takes what is opened."""
        try:
            while (frame := await read_frame(self._reader)) is not None:
                if frame.kind is Kind.OPEN and welcome is not None:
                    welcome(frame)
                elif (channel := self._channels.get(frame.channel)) is not None:
                    channel.take(frame)
        except BadFrame:
            return
        finally:
            for channel in self._channels.values():
                channel.break_off()
