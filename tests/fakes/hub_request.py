"""A request to the hub, as far as the authenticator looks at one."""

import socket
from dataclasses import dataclass, field
from typing import Any

from tornado.httputil import HTTPHeaders


@dataclass
class _Context:
    address: tuple[str, int]


@dataclass
class _Stream:
    socket: socket.socket | None


@dataclass
class _Connection:
    context: _Context
    stream: _Stream


@dataclass
class _Request:
    connection: _Connection
    headers: HTTPHeaders


@dataclass
class FakeHandler:
    """A handler with a request from an address; what it is given stays on it.

    `here` is our end of a connection that is really there, for a request of this
    machine's proxy: the kernel is asked whose the other end is.
    """

    peer: str = "127.0.0.1"
    headers: dict[str, str] = field(default_factory=dict)
    kqi_outcome: Any = None
    here: socket.socket | None = None

    @property
    def request(self) -> _Request:
        peer = self.here.getpeername() if self.here else (self.peer, 40_000)
        connection = _Connection(_Context(peer), _Stream(self.here))
        return _Request(connection, HTTPHeaders(self.headers))
