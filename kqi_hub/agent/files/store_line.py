"""Talk to the store over its socket: lines of JSON, open files beside them."""

import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.leaving import Leaving

_LOOK_S: Final = 0.5
# A file of a terabyte is copied for an hour.
_PATIENCE_S: Final = 2 * 3600.0


class Refused(Exception):
    """The store says no."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.code = str(said.get("error", "store"))
        self.message = str(said.get("message", "The store refuses."))
        super().__init__(self.message)


class StoreLine:
    """A connection to the store: lines of JSON, each with its answer."""

    def __init__(self, address: Path, leaving: Leaving) -> None:
        self._leaving = leaving
        self._rest = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(_LOOK_S)
            self._socket.connect(os.fspath(address))
        except OSError as error:
            self._socket.close()
            raise _silent() from error

    def close(self) -> None:
        """Hang up; what the store has taken stays taken."""
        self._socket.close()

    def ask(
        self, line: Mapping[str, object], files: Sequence[int] = ()
    ) -> Mapping[str, Any]:
        """Send a line, with open files, and return what the store made of it."""
        raw = json.dumps(line).encode() + b"\n"
        try:
            self._socket.settimeout(_PATIENCE_S)
            sent = socket.send_fds(self._socket, [raw], list(files))
            self._socket.sendall(raw[sent:])
            self._socket.settimeout(_LOOK_S)
            return self._answer()
        except OSError as error:
            raise _silent() from error

    def _answer(self) -> Mapping[str, Any]:
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            line, found_one, rest = self._rest.partition(b"\n")
            if found_one:
                self._rest = rest
                said = json.loads(line)
                if "error" in said:
                    raise Refused(said)
                if "ok" in said:
                    answer: Mapping[str, Any] = said["ok"]
                    return answer
                continue
            self._leaving.check()
            with suppress(TimeoutError):
                piece = self._socket.recv(64 * 1024)
                if not piece:
                    raise ConnectionResetError
                self._rest += piece
        raise TimeoutError


def _silent() -> Problem:
    return Problem(
        503, "store-silent", "The data store does not answer. Try again in a moment."
    )
