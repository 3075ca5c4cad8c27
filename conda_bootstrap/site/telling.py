"""Tell the operator on the terminal how far it is."""

import sys
import time
from typing import Final

_EVERY_S: Final = 0.2
_EVERY_ELSEWHERE_S: Final = 10.0


class Terminal:
    """Lines and one moving line on standard error; in a log, a line now and then."""

    def __init__(self) -> None:
        self._told_at = time.monotonic()
        self._is_open = False
        self._moves = sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Print one line."""
        self._end_line()
        print(text, file=sys.stderr, flush=True)

    def count(self, done: int, total: int) -> None:
        """Print how many megabytes of how many."""
        text = f"  {done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
        self.moving(text, is_last=done == total)

    def moving(self, text: str, *, is_last: bool) -> None:
        """Print a line that replaces itself; elsewhere than on a terminal not each."""
        every = _EVERY_S if self._moves else _EVERY_ELSEWHERE_S
        if time.monotonic() - self._told_at < every and not (is_last and self._is_open):
            return
        self._told_at = time.monotonic()
        start, end = ("\r", "") if self._moves else ("", "\n")
        print(f"{start}{text}", end=end, file=sys.stderr, flush=True)
        self._is_open = self._moves
        if is_last:
            self._end_line()

    def _end_line(self) -> None:
        if self._is_open:
            print(file=sys.stderr)
        self._is_open = False
