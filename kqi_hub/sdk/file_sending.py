"""One file on its way to the agent: what breaks goes on."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from kqi_hub.sdk.agent_calls import AgentCalls, AgentRefused
from kqi_hub.sdk.errors import NotReachable, PortalError
from kqi_hub.sdk.file_names import query

PIECE_BYTES: Final = 1024 * 1024
# What is larger is asked about before it is sent.
_ASKED_BYTES: Final = 8 * 1024 * 1024
_PATIENCE_S: Final = 60.0
_FIRST_PAUSE_S: Final = 0.3
Sent = Callable[[int], None]


class Sending:
    """One file on its way to the agent."""

    def __init__(
        self,
        calls: AgentCalls,
        source: Path,
        path: str,
        root: str,
        exists: str,
        sent: Sent | None,
    ) -> None:
        self._calls, self._source, self._sent = calls, source, sent
        about = source.stat()
        self._size = about.st_size
        self._offset = self._told = 0
        self._may_be_there = False
        self._asked = {
            "root": root, "path": path, "size": self._size, "exists": exists,
            "mark": f"{about.st_mtime_ns:x}", "parents": 1,
        }  # fmt: skip

    def send(self) -> str:
        """Send until it is there, however often the connection breaks."""
        patience = Patience()
        is_asked = self._size <= _ASKED_BYTES
        while True:
            before = self._offset
            try:
                said = self._put(is_question=not is_asked)
                is_asked = True
            except NotReachable as error:
                is_asked, self._may_be_there = False, True
                patience.pause(error, moved=self._offset > before)
                continue
            except AgentRefused as refused:
                if refused.code == "offset":
                    self._go_on_at(int(refused.said["offset"]))
                    is_asked = True
                    continue
                if refused.code == "exists" and self._is_there():
                    return str(self._asked["path"])
                raise
            if said["done"]:
                return str(said["path"])

    def _put(self, *, is_question: bool) -> Any:
        start = self._offset
        length = 0 if is_question else self._size - start
        asked = query(**self._asked, offset=start)
        with self._calls._agent_stream(
            "PUT", f"files/content?{asked}", {"Content-Length": str(length)},
            (lambda: self._pieces(start)) if length else None,
        ) as answer:  # fmt: skip
            answer.read()
            return answer.json()

    def _pieces(self, start: int) -> Iterator[bytes]:
        self._go_on_at(start)
        with self._source.open("rb") as file:
            file.seek(start)
            while piece := file.read(min(PIECE_BYTES, self._size - self._offset)):
                yield piece
                self._go_on_at(self._offset + len(piece))
        if self._offset != self._size:
            raise PortalError(
                f"{self._source} was changed while it was sent.", "Send it again."
            )

    def _go_on_at(self, offset: int) -> None:
        heard(self._sent, offset - self._told)
        self._offset = self._told = offset

    def _is_there(self) -> bool:
        """Tell whether the answer to its arrival was all that was lost."""
        if not self._may_be_there:
            return False
        asked = query(root=self._asked["root"], path=self._asked["path"])
        with suppress(AgentRefused):
            there = self._calls._agent_json("GET", f"files/stat?{asked}")
            return bool(there["size"] == self._size)
        return False


class Patience:
    """Pauses that grow, as long as nothing moves."""

    def __init__(self) -> None:
        self._until = time.monotonic() + _PATIENCE_S
        self._pause_s = _FIRST_PAUSE_S

    def pause(self, error: NotReachable, *, moved: bool) -> None:
        """Wait; raises the error when nothing has moved for too long."""
        if moved:
            self._until = time.monotonic() + _PATIENCE_S
            self._pause_s = _FIRST_PAUSE_S
        if time.monotonic() > self._until:
            raise error
        time.sleep(self._pause_s)
        self._pause_s = min(10.0, self._pause_s * 2)


def heard(told: Sent | None, count: int) -> None:
    """Tell of bytes, if somebody listens."""
    if told is not None and count:
        told(count)
