"""Connections of ldap3 that are encrypted, verified, and bounded in time.

ldap3 alone would accept any certificate, load the authorities again for each
connection, reopen a connection that the server closed (in clear text, with the
password as its first words), and wait as long as a server keeps sending something.
"""

import socket
import ssl
import time
from pathlib import Path
from typing import Any, Final

from ldap3 import NONE, SYNC, Connection, Server
from ldap3.core.exceptions import LDAPSocketOpenError
from ldap3.strategy.sync import SyncStrategy

from kqi_hub.auth.ldap_options import ServerAddress

_START_TLS: Final = "1.3.6.1.4.1.1466.20037"


class Deadline:
    """A moment after which nothing waits any more."""

    def __init__(self, seconds: float, at_most: "Deadline | None" = None) -> None:
        self._ends_at: float = time.monotonic() + seconds
        if at_most is not None:
            self._ends_at = min(self._ends_at, at_most._ends_at)

    def left(self) -> float:
        """Return the seconds left; TimeoutError if there are none."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the directory server took too long")
        return left

    @property
    def is_over(self) -> bool:
        """Tell whether the time is up (a socket may wake a moment early)."""
        return time.monotonic() >= self._ends_at - 0.02


class TimedSocket:
    """The socket as ldap3 uses it; every wait ends at `deadline`."""

    def __init__(self, bare: socket.socket, deadline: Deadline) -> None:
        self.bare = bare
        self.deadline = deadline

    def recv(self, size: int) -> bytes:
        """Receive within what time is left."""
        self.bare.settimeout(self.deadline.left())
        return self.bare.recv(size)

    def sendall(self, data: bytes) -> None:
        """Send within what time is left."""
        self.bare.settimeout(self.deadline.left())
        self.bare.sendall(data)

    def shutdown(self, how: int) -> None:
        """End the connection in both directions."""
        self.bare.shutdown(how)

    def close(self) -> None:
        """Give the socket back."""
        self.bare.close()


class _OpenedOnce(SyncStrategy):  # type: ignore[misc]  # ldap3 has no types
    """ldap3's own strategy on a socket that we opened, and that it never reopens."""

    def open(self, reset_usage: bool = True, read_server_info: bool = True) -> None:
        raise LDAPSocketOpenError("the server closed the connection")

    def adopt(self, opened: TimedSocket) -> None:
        """Take an open socket over."""
        self._outstanding: dict[int, Any] = {}
        self.connection.socket = opened
        self.connection.closed = False
        self._start_listen()


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return what verifies servers: authority, host name, TLS 1.2 or newer."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def connect(
    address: ServerAddress, context: ssl.SSLContext, deadline: Deadline
) -> Connection:
    """Open a verified connection; OSError (or LDAPException) if it cannot be had."""
    bare = _tcp(address, deadline)
    try:
        if not address.start_tls:
            bare = _encrypted(bare, address, context, deadline)
        connection = _connection(address, TimedSocket(bare, deadline))
        if address.start_tls:
            _start_tls(connection, address, context, deadline)
    except BaseException:
        bare.close()
        raise
    return connection


def _tcp(address: ServerAddress, deadline: Deadline) -> socket.socket:
    fault: OSError = OSError(f"{address.host} has no address")
    for family, kind, protocol, _, place in socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM
    ):
        opened = socket.socket(family, kind, protocol)
        try:
            opened.settimeout(deadline.left())
            opened.connect(place)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            opened.close()
            fault = error
        else:
            return opened
    raise fault


def _encrypted(
    bare: socket.socket,
    address: ServerAddress,
    context: ssl.SSLContext,
    deadline: Deadline,
) -> ssl.SSLSocket:
    bare.settimeout(deadline.left())
    return context.wrap_socket(bare, server_hostname=address.host)


def _connection(address: ServerAddress, opened: TimedSocket) -> Connection:
    connection = Connection(
        Server(address.host, address.port, get_info=NONE),
        client_strategy=SYNC,
        auto_referrals=False,
        auto_range=False,
        check_names=False,
        auto_escape=False,
        auto_encode=False,
        return_empty_attributes=False,
        raise_exceptions=False,
    )
    strategy = _OpenedOnce(connection)
    connection.strategy = strategy
    # The same five that Connection's constructor takes from its strategy.
    connection.send = strategy.send
    connection.open = strategy.open
    connection.get_response = strategy.get_response
    connection.post_send_single_response = strategy.post_send_single_response
    connection.post_send_search = strategy.post_send_search
    strategy.adopt(opened)
    return connection


def _start_tls(
    connection: Connection,
    address: ServerAddress,
    context: ssl.SSLContext,
    deadline: Deadline,
) -> None:
    connection.extended(_START_TLS)
    if connection.result["result"] != 0:
        said = connection.result["description"]
        raise LDAPSocketOpenError(f"the server refuses StartTLS: {said}")
    timed: TimedSocket = connection.socket
    timed.bare = _encrypted(timed.bare, address, context, deadline)
