"""What an operation tells of itself while it works: one event at a time."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TextIO

from conda_bootstrap.errors import BootstrapError

Event = dict[str, Any]
Sink = Callable[[Event], None]
_EVERY_S: Final = 0.1


class Report:
    """Pass on phases, progress, notes and the end; callable from several threads."""

    def __init__(self, *sinks: Sink) -> None:
        self._sinks = sinks
        self._lock = threading.Lock()
        self._phase: Event = {"phase": "", "total": 0}
        self._told_at = 0.0

    def phase(self, phase: str, text: str, total: int = 0) -> None:
        """Begin a phase; total is how many steps it has, 0 when nobody knows."""
        self._phase = {"phase": phase, "total": total}
        self._told_at = 0.0
        self._tell({"event": "phase", "phase": phase, "text": text, "total": total})

    def progress(self, done: int, count_bytes: int = 0) -> None:
        """Tell how far the phase is; most calls are dropped, the last one never is."""
        is_last = done >= self._phase["total"]
        if not is_last and time.monotonic() - self._told_at < _EVERY_S:
            return
        self._told_at = time.monotonic()
        self._tell(
            {"event": "progress", "done": done, "bytes": count_bytes} | self._phase
        )

    def note(self, text: str) -> None:
        """Tell something worth reading."""
        self._tell({"event": "note", "text": text})

    def done(self, text: str, result: Event) -> None:
        """Tell that all is done, and what to do next."""
        self._tell({"event": "done", "text": text, "result": result})

    def failed(self, error: BootstrapError) -> None:
        """Tell that it could not be done."""
        self._tell({"event": "failed", "state": error.state} | error.as_dict())

    def _tell(self, event: Event) -> None:
        with self._lock:
            for sink in self._sinks:
                sink(event)


def json_lines(stream: TextIO) -> Sink:
    """Return a sink that writes one JSON object a line."""

    def tell(event: Event) -> None:
        stream.write(json.dumps(event, ensure_ascii=True) + "\n")
        stream.flush()

    return tell


def size(count: int | float) -> str:
    """Return a number of bytes as people say it."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(value) < 999.5:
            digits = 0 if unit == "bytes" or value >= 99.5 else 1
            return f"{value:,.{digits}f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"
