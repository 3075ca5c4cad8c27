"""How long something is tried again before it is given up."""

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from kqi_hub.sdk.errors import NotReachable
from kqi_hub.sdk.store_wire import Interrupted
from kqi_hub.sdk.upload_progress import Meter

_FIRST_PAUSE_S: Final = 0.3
_LONGEST_PAUSE_S: Final = 20.0
T = TypeVar("T")


class Stopped(Exception):
    """Another thread has failed, or the person wants no more."""


class Patience:
    """Pauses that grow, while nothing moves; shared by the threads of an upload."""

    def __init__(self, meter: Meter, stop: threading.Event, most_s: float) -> None:
        self._meter, self._stop, self._most_s = meter, stop, most_s

    def check(self) -> None:
        """Raise Stopped if there is no use in going on."""
        if self._stop.is_set():
            raise Stopped

    def pause(self, attempt: int, why: Exception) -> None:
        """Wait before the next attempt; NotReachable when nothing moved for so long."""
        self.check()
        still_s = time.monotonic() - self._meter.moved_at
        if still_s > self._most_s:
            raise NotReachable(
                f"The store has not answered for {still_s:.0f} s ({why}).",
                "What was sent is safe: go on later with kqi data resume.",
            )
        self._meter.wait(f"no answer ({why}), trying again")
        pause_s = _FIRST_PAUSE_S * 2 ** min(attempt, 10)
        self._stop.wait(min(pause_s, _LONGEST_PAUSE_S))
        self.check()

    def until_answered(self, ask: Callable[[], T]) -> T:
        """Return the answer to a question that may be asked again."""
        attempt = 0
        while True:
            try:
                return ask()
            except Interrupted as why:
                self.pause(attempt, why)
                attempt += 1
