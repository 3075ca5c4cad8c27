"""Receive a long body by a thread of its own, straight from the socket.

Through the loop and its buffers each byte costs three times the processor: bytes are
copied and handed from thread to thread. Here one thread receives into one buffer,
hashes and writes it while it is in the processor's cache.
"""

import json
import logging
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

from tornado.iostream import IOStream, StreamClosedError

from kqi_hub.domain.errors import KqiError
from kqi_hub.store.errors import Busy

_LOG: Final = logging.getLogger(__name__)
_BUFFER_BYTES: Final = 256 * 1024
# Each is a thread and a buffer, while it receives.
_MOST: Final = threading.BoundedSemaphore(256)
# A sender that says nothing for so long has gone, whatever its connection says.
SILENT_S: Final = 120
# An answer in the middle of a body is lost unless the rest is heard out.
_HEAR_OUT_S: Final = 30
_OUR_FAULT: Final[dict[str, object]] = {
    "error": "store",
    "message": "The store failed; its log says more.",
}
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Work(Protocol):
    """What is done with a body, in a thread of its own."""

    def take(self, piece: memoryview) -> None:
        """Take the bytes that follow; they change when this returns."""

    def told(self) -> dict[str, object]:
        """Return the answer when all has come."""

    def end(self) -> None:
        """Let go of everything; called at last, whatever happened."""


@dataclass(frozen=True, slots=True)
class Body:
    """What is to come, and what is done with it."""

    length: int
    expects_continue: bool
    work: Work
    headers: tuple[tuple[str, str], ...]
    refusal: Callable[[KqiError], dict[str, object]]


@dataclass(slots=True)
class _Heard:
    """What of a body has not come yet, and whether its sender is gone."""

    left: int
    is_lost: bool = False


class CutOff(Exception):
    """The sender is gone before the end of the body."""


def check_room() -> None:
    """Count one body more; Busy when there are too many."""
    if not _MOST.acquire(blocking=False):
        raise Busy("The store receives as much as it can. Try again in a moment.")


def let_room() -> None:
    """Count one body less."""
    _MOST.release()


async def receive(stream: IOStream, body: Body) -> None:
    """Take over a connection whose headers have been read; returns at once."""
    buffer = bytearray(_BUFFER_BYTES)
    try:
        connection, first = await _taken_over(stream, body)
    except BaseException as error:
        stream.close()
        _end(body)
        if isinstance(error, StreamClosedError):
            return
        raise
    threading.Thread(
        target=_serve, args=(connection, body, buffer, first), daemon=True
    ).start()


async def _taken_over(stream: IOStream, body: Body) -> tuple[socket.socket, bytes]:
    first = b""
    if body.expects_continue:
        await stream.write(_CONTINUE)
    if body.length:
        # What the stream has read ahead comes first: all of it, and under load that is
        # more than our buffer holds. What stayed behind would be lost with the stream.
        first = await stream.read_bytes(body.length, partial=True)
    connection = socket.socket(fileno=os.dup(stream.socket.fileno()))
    stream.close()
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _seconds(SILENT_S))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _seconds(SILENT_S))
    return connection, first


def _serve(
    connection: socket.socket, body: Body, buffer: bytearray, first: bytes
) -> None:
    """Take the body, answer, and let go of everything before the other side goes on."""
    heard = _Heard(body.length)
    status, said = 500, _OUR_FAULT
    try:
        _receive(connection, body, memoryview(buffer), first, heard)
        status, said = 200, body.work.told()
    except KqiError as error:
        status, said = error.status, body.refusal(error)
    except CutOff as error:
        _LOG.info("an upload was cut off: %s", error)
        heard.is_lost = True
    except Exception:  # noqa: BLE001  logged, and told as our own fault
        _LOG.exception("a body cannot be taken")
    finally:
        _end(body)
    if not heard.is_lost:
        _answer(connection, body, status, said)
        _hear_out(connection, heard.left)
    connection.close()


def _end(body: Body) -> None:
    try:
        body.work.end()
    except Exception:  # noqa: BLE001  logged; the answer goes out all the same
        _LOG.exception("the end of a body is lost")
    finally:
        let_room()


def _receive(
    connection: socket.socket,
    body: Body,
    view: memoryview,
    first: bytes,
    heard: _Heard,
) -> None:
    """Take the whole body; what came before a cut is taken too."""
    if first:
        heard.left -= len(first)
        body.work.take(memoryview(first))
    while heard.left:
        wanted = min(len(view), heard.left)
        size = _more(connection, view[:wanted])
        heard.left -= size
        body.work.take(view[:size])


def _more(connection: socket.socket, view: memoryview) -> int:
    try:
        size = connection.recv_into(view, 0, socket.MSG_WAITALL)
    except OSError as error:
        raise CutOff(repr(error)) from error
    if not size:
        raise CutOff("the sender has hung up")
    return size


def _answer(
    connection: socket.socket, body: Body, status: int, said: dict[str, object]
) -> None:
    text = json.dumps(said).encode()
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in body.headers]
    lines += [f"Content-Length: {len(text)}", "Connection: close", "", ""]
    try:
        connection.sendall("\r\n".join(lines).encode() + text)
        connection.shutdown(socket.SHUT_WR)
    except OSError as error:
        _LOG.info("nobody hears the answer: %r", error)


def _hear_out(connection: socket.socket, left: int) -> None:
    """Read what is still on its way and throw it away, for a while."""
    until = time.monotonic() + _HEAR_OUT_S
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _seconds(_HEAR_OUT_S))
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    try:
        while left > 0 and time.monotonic() < until:
            size = connection.recv_into(buffer)
            left = left - size if size else 0
    except OSError as error:
        _LOG.info("the rest of a body did not come: %r", error)


def _seconds(number: int) -> bytes:
    return struct.pack("ll", number, 0)
