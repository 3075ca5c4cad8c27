"""A request to the hub, as far as the authenticator looks at one."""

from dataclasses import dataclass, field
from typing import Any

from tornado.httputil import HTTPHeaders


@dataclass
class _Context:
    address: tuple[str, int]


@dataclass
class _Connection:
    context: _Context


@dataclass
class _Request:
    connection: _Connection
    headers: HTTPHeaders


@dataclass
class FakeHandler:
    """A handler with a request from an address; what it is given stays on it."""

    peer: str = "127.0.0.1"
    headers: dict[str, str] = field(default_factory=dict)
    kqi_outcome: Any = None

    @property
    def request(self) -> _Request:
        connection = _Connection(_Context((self.peer, 40_000)))
        return _Request(connection, HTTPHeaders(self.headers))
