"""The control socket: one JSON request a connection, JSON lines back until it closes."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

_ANSWER_TIMEOUT_S = 60.0


class NobodyAnswers(Exception):
    """There is no supervisor behind the socket."""


def ask(control: Path, **request: object) -> Iterator[Mapping[str, object]]:
    """Send one request and return the answers as they come."""
    # A socket's path may have 107 characters; the folder's may have more. The way
    # through an open folder is always short.
    folder = os.open(control.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_ANSWER_TIMEOUT_S)
        connection.connect(f"/proc/self/fd/{folder}/{control.name}")
    except OSError as error:
        raise NobodyAnswers(f"no supervisor answers at {control}: {error}") from error
    finally:
        os.close(folder)
    with connection:
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile() as lines:
            yield from map(json.loads, lines)
