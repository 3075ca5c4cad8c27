"""What travels between an agent and its bridge in a job: framed pieces of channels.

Both ends run this file. A frame is a header of nine bytes (channel, kind, length) and
its body; lengths are bounded, so nobody's memory is at the other end's mercy.
"""

import asyncio
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

_HEADER: Final = struct.Struct(">IBI")
_NUMBER: Final = struct.Struct(">I")
# A piece of a stream; Slurm carries a step's output in pieces of a kilobyte anyway.
MOST_BYTES: Final = 32 * 1024


class Kind(IntEnum):
    """What a frame says of its channel."""

    OPEN = 1  # the body says where to, in JSON
    OPENED = 2
    REFUSED = 3  # the body says why
    DATA = 4
    END = 5  # nothing more comes this way
    RESET = 6  # the channel is broken
    CREDIT = 7  # so many bytes have been taken


class BadFrame(Exception):
    """What came is no frame: the other end cannot be talked to."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame."""

    channel: int
    kind: Kind
    body: bytes = b""


def packed(frame: Frame) -> bytes:
    """Return a frame's bytes."""
    return _HEADER.pack(frame.channel, frame.kind, len(frame.body)) + frame.body


async def read_frame(reader: asyncio.StreamReader) -> Frame | None:
    """Return the next frame; None at the end. Raises BadFrame."""
    try:
        channel, kind, length = _HEADER.unpack(await reader.readexactly(_HEADER.size))
        if length > MOST_BYTES:
            raise BadFrame(f"a frame of {length} bytes")
        return Frame(channel, Kind(kind), await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except ValueError as error:
        raise BadFrame(str(error)) from error


def credit(channel: int, count: int) -> Frame:
    """Return the frame that lets the other end send so many bytes more."""
    return Frame(channel, Kind.CREDIT, _NUMBER.pack(count))


def credited(frame: Frame) -> int:
    """Return how many bytes a frame lets us send; raises BadFrame."""
    try:
        return int(_NUMBER.unpack(frame.body)[0])
    except struct.error as error:
        raise BadFrame("a credit of no number") from error
