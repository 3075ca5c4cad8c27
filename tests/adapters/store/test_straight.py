"""A connection taken over from the loop: every byte is the body's, once."""

import asyncio
import os
import socket
from dataclasses import dataclass, field

import pytest
from tornado.iostream import IOStream

from kqi_hub.domain.errors import KqiError
from kqi_hub.store.straight import Body, check_room, receive

KIB = 1024
HEAD = b"PUT / HTTP/1.1\r\n\r\n"


@dataclass
class Kept:
    """Work that keeps what it is given."""

    bytes: bytearray = field(default_factory=bytearray)

    def take(self, piece: memoryview) -> None:
        self.bytes += piece

    def told(self) -> dict[str, object]:
        return {"taken": len(self.bytes)}

    def end(self) -> None:
        """Nothing is open."""


def refusal(error: KqiError) -> dict[str, object]:
    return {"error": error.code}


def connected() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a connection that holds much before anybody reads."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB * KIB)
        sender = socket.create_connection(listener.getsockname())
        return listener.accept()[0], sender


@pytest.mark.parametrize("kib", [1, 64, 256, 257, 900])
async def test_what_the_loop_has_read_ahead_is_not_lost(able: None, kib: int) -> None:
    taker, sender = connected()
    data = os.urandom(kib * KIB)
    stream = IOStream(taker, read_chunk_size=2 * KIB * KIB)
    sending = asyncio.create_task(asyncio.to_thread(sender.sendall, HEAD + data[:-1]))
    # A system that holds less than all of it lets go of the rest below.
    await asyncio.wait({sending}, timeout=1)
    # With the head the stream reads ahead whatever is there.
    assert await stream.read_until(b"\r\n\r\n") == HEAD
    kept = Kept()
    check_room()
    await receive(stream, Body(len(data), False, kept, (), refusal))
    await sending
    await asyncio.to_thread(sender.sendall, data[-1:])
    sender.settimeout(20)
    answer = await asyncio.to_thread(sender.recv, 65536)
    sender.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert bytes(kept.bytes) == data
