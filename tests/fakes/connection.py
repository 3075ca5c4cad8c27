"""A TCP connection of this machine with itself."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Give the accepting and the connecting end."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        there = socket.create_connection(door.getsockname())
        here, _ = door.accept()
    with here, there:
        yield here, there
