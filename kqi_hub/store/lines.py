"""Lines of JSON over a Unix socket, with the descriptors that came along."""

import array
import json
import os
import socket
import struct
from collections.abc import Mapping
from typing import Any, Final

from kqi_hub.store.errors import WrongBody

_PIECE: Final = 64 * 1024
# What the kernel lets travel with one message.
_MOST_DESCRIPTORS: Final = 253
_CREDENTIALS: Final = struct.Struct("3i")


class TooLong(Exception):
    """A line without end: the connection is of no use any more."""


class Line:
    """One line, and the open files that came with it; closes them at the end."""

    def __init__(self, fields: Mapping[str, Any], descriptors: list[int]) -> None:
        self.fields, self.descriptors = fields, descriptors

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        close_all(self.descriptors)


class Lines:
    """One side of a connection."""

    def __init__(self, connection: socket.socket, longest: int) -> None:
        self._connection, self._longest = connection, longest
        self._rest = bytearray()
        self._descriptors: list[int] = []

    def receive(self) -> Line | None:
        """Return the next line; None when the other side has hung up."""
        searched = 0
        while (end := self._rest.find(b"\n", searched)) < 0:
            searched = len(self._rest)
            if searched > self._longest:
                raise TooLong
            if not self._receive_more():
                return None
        raw = bytes(self._rest[:end])
        del self._rest[: end + 1]
        descriptors, self._descriptors = self._descriptors, []
        try:
            return Line(_fields(raw), descriptors)
        except WrongBody:
            close_all(descriptors)
            raise

    def send(self, said: Mapping[str, object]) -> None:
        """Send a line."""
        self._connection.sendall(json.dumps(said).encode() + b"\n")

    def close(self) -> None:
        """Close everything that came and was not taken."""
        close_all(self._descriptors)
        self._connection.close()

    def _receive_more(self) -> bool:
        space = socket.CMSG_SPACE(_MOST_DESCRIPTORS * array.array("i").itemsize)
        data, ancillary, _, _ = self._connection.recvmsg(
            _PIECE, space, socket.MSG_CMSG_CLOEXEC
        )
        for level, kind, raw in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                found = array.array("i")
                found.frombytes(raw[: len(raw) - len(raw) % found.itemsize])
                self._descriptors += found
        if len(self._descriptors) > _MOST_DESCRIPTORS:
            raise TooLong
        self._rest += data
        return bool(data)


def peer_uid(connection: socket.socket) -> int:
    """Return who is at the other end, by the kernel's word."""
    raw = connection.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
    )
    return int(_CREDENTIALS.unpack(raw)[1])


def close_all(descriptors: list[int]) -> None:
    """Close descriptors and forget them."""
    while descriptors:
        os.close(descriptors.pop())


def _fields(raw: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise WrongBody("This line is no JSON.") from error
    if not isinstance(fields, dict):
        raise WrongBody("This line is no JSON object.")
    return fields
