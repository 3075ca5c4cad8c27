"""Talk to the store over its socket: lines of JSON, open files beside them."""

import json
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

_LONGEST_ANSWER: Final = 1024 * 1024


class Refused(Exception):
    """The store says no."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)


class Silent(Exception):
    """The store has not answered in time; it may still be at work."""


class StoreLine:
    """A connection to the store, until a moment of the clock that never goes back."""

    def __init__(self, address: str, until: float) -> None:
        self._until, self._rest = until, b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._hurry()
            self._socket.connect(address)
        except OSError as error:
            self._socket.close()
            raise _silent(error) from error

    def close(self) -> None:
        """Hang up; what the store has taken stays taken."""
        self._socket.close()

    def ask(
        self, line: Mapping[str, object], files: Sequence[int] = ()
    ) -> Mapping[str, Any]:
        """Send a line, with open files, and return what the store made of it."""
        raw = json.dumps(line).encode() + b"\n"
        try:
            self._hurry()
            sent = socket.send_fds(self._socket, [raw], list(files))
            self._socket.sendall(raw[sent:])
            return self._answer()
        except OSError as error:
            raise _silent(error) from error

    def _answer(self) -> Mapping[str, Any]:
        while True:
            line, found_one, rest = self._rest.partition(b"\n")
            if not found_one:
                self._receive()
                continue
            self._rest = rest
            said = json.loads(line)
            if "error" in said:
                raise Refused(str(said["error"]), str(said.get("message", "")))
            if "ok" in said:
                answer: Mapping[str, Any] = said["ok"]
                return answer

    def _receive(self) -> None:
        self._hurry()
        piece = self._socket.recv(64 * 1024)
        if not piece or len(self._rest) > _LONGEST_ANSWER:
            raise ConnectionResetError("The store hung up.")
        self._rest += piece

    def _hurry(self) -> None:
        self._socket.settimeout(max(0.05, self._until - time.monotonic()))


def _silent(error: OSError) -> Exception:
    """Tell a store that is not there from one that is still at work."""
    if isinstance(error, TimeoutError):
        return Silent("The store has not answered in time.")
    return Refused("store-silent", f"The data store does not answer: {error}.")
