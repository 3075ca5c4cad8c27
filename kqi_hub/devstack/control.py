"""The control socket: one JSON request a connection, JSON lines back.

The first line is empty (`{}`): the request has arrived and is being worked on.
"""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# Long enough for the longest single thing: a service that must be killed to stop.
_ANSWER_TIMEOUT_S = 30.0
_FIRST_ANSWER_S = 5.0


class NobodyAnswers(Exception):
    """There is no supervisor behind the socket."""


def ask(control: Path, **request: str) -> Iterator[Mapping[str, Any]]:
    """Send one request and return the answers as they come.

    Raises NobodyAnswers, also when an answer takes too long.
    """
    connection = _connect(control)
    with connection:
        try:
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile() as lines:
                for line in lines:
                    connection.settimeout(_ANSWER_TIMEOUT_S)
                    answer = json.loads(line)
                    if answer:
                        yield answer
        except OSError as error:
            raise NobodyAnswers(f"the supervisor hung up: {error}") from error


def _connect(control: Path) -> socket.socket:
    # A socket's path may have 107 characters; the folder's may have more. The way
    # through an open folder is always short.
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_FIRST_ANSWER_S)
    try:
        folder = os.open(control.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            connection.connect(f"/proc/self/fd/{folder}/{control.name}")
        finally:
            os.close(folder)
    except OSError as error:
        connection.close()
        raise NobodyAnswers(f"no supervisor answers at {control}: {error}") from error
    return connection
