"""Phases and progress for people: bars on a terminal, now and then a line elsewhere."""

import shutil
import time
from typing import Final, TextIO

from conda_bootstrap.reporting import Event, size

_WIDTH: Final = 24
_LINE_EVERY_S: Final = 5.0


class Bars:
    """Write what a person wants to see of an operation to a stream."""

    def __init__(self, stream: TextIO, is_terminal: bool | None = None) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty() if is_terminal is None else is_terminal
        self._text = ""
        self._progress = ""
        self._began_at = self._wrote_at = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        show = {
            "phase": self._begin,
            "progress": self._show,
            "note": self._note,
            "done": self._done,
            "failed": self._failed,
        }[event["event"]]
        show(event)
        self._stream.flush()

    def _begin(self, event: Event) -> None:
        self._end_phase()
        self._text, self._progress = event["text"], ""
        self._began_at = self._wrote_at = time.monotonic()
        if self._is_terminal:
            self._rewrite(f"  {self._text} …")

    def _show(self, event: Event) -> None:
        done, total = event["done"], event["total"]
        self._progress = f"{done} of {total}" if total else f"{done}"
        if event["bytes"]:
            self._progress += f", {size(event['bytes'])}"
        if self._is_terminal:
            self._rewrite(f"  {self._text} {_bar(done, total)} {self._progress}")
        elif time.monotonic() - self._wrote_at > _LINE_EVERY_S:
            self._wrote_at = time.monotonic()
            self._line(f"  {self._text}: {self._progress} after {self._seconds()}")

    def _note(self, event: Event) -> None:
        self._end_phase()
        self._line(f"  {event['text']}")

    def _done(self, event: Event) -> None:
        self._end_phase()
        self._line(event["text"])

    def _failed(self, event: Event) -> None:
        self._end_phase(aborted=True)
        self._line(event["message"])
        if event["hint"]:
            self._line(event["hint"])

    def _end_phase(self, aborted: bool = False) -> None:
        if not self._text:
            return
        progress = f": {self._progress}" if self._progress else ""
        ending = "stopped after " if aborted else ""
        line = f"  {self._text}{progress}"
        self._rewrite(f"{line:<64} {ending}{self._seconds()}\n")
        self._text = ""

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._began_at:.1f} s"

    def _rewrite(self, line: str) -> None:
        if self._is_terminal:
            columns = shutil.get_terminal_size().columns
            keep = line if line.endswith("\n") else line[: columns - 1]
            self._stream.write(f"\r\x1b[K{keep}")
        else:
            self._stream.write(line)

    def _line(self, line: str) -> None:
        self._stream.write(f"{line}\n")


def _bar(done: int, total: int) -> str:
    if not total:
        return ""
    full = min(_WIDTH, done * _WIDTH // total)
    return f"[{'#' * full}{'-' * (_WIDTH - full)}]"
