"""The control socket: one JSON request a connection, JSON lines back."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_ANSWER_TIMEOUT_S = 20.0


class NobodyAnswers(Exception):
    """There is no supervisor behind the socket."""


def ask(control: Path, **request: str) -> Iterator[Mapping[str, Any]]:
    """Send one request and return the answers as they come.

    Raises NobodyAnswers, also when an answer takes too long.
    """
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
        try:
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile() as lines:
                yield from map(json.loads, lines)
        except OSError as error:
            raise NobodyAnswers(f"the supervisor hung up: {error}") from error
