"""How far an upload is: counted by those who send, told to the one who asks."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_WINDOW_S: Final = 15.0
_SAMPLE_S: Final = 0.25
# What a file costs beyond its bytes, as bytes: so that the time left is right for
# many small files as for few large ones.
_FILE_COST: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is; `waits` is why nothing moves just now, empty while it does."""

    files: int
    bytes: int
    done_files: int
    done_bytes: int
    rate: float
    left_s: float | None
    waits: str = ""


Tell = Callable[[Progress], None]


class Meter:
    """Counts from several threads."""

    def __init__(self, files: int, size: int) -> None:
        self._files, self._bytes = files, size
        self._lock = threading.Lock()
        self._done_files = self._done_bytes = 0
        self._here_files = self._here_bytes = 0
        self._samples: deque[tuple[float, int, int]] = deque()
        self._waits = ""
        self.moved_at = time.monotonic()

    def sent(self, size: int) -> None:
        """Count bytes that are on their way; negative: they were lost again."""
        with self._lock:
            self._done_bytes += size
            self._here_bytes += size
            self._move()

    def kept(self, files: int = 1) -> None:
        """Count files that the store has whole."""
        with self._lock:
            self._done_files += files
            self._here_files += files
            self._move()

    def had(self, files: int, size: int) -> None:
        """Count what the store had before; it makes nothing look quick."""
        with self._lock:
            self._done_files += files
            self._done_bytes += size
            self.moved_at = time.monotonic()

    def wait(self, why: str) -> None:
        """Say why nothing moves."""
        with self._lock:
            self._waits = why

    def now(self) -> Progress:
        """Return how far it is."""
        with self._lock:
            self._sample(time.monotonic())
            rate, left = self._rates()
            return Progress(
                self._files,
                self._bytes,
                self._done_files,
                self._done_bytes,
                rate,
                left,
                self._waits,
            )

    def _move(self) -> None:
        self.moved_at = time.monotonic()
        self._waits = ""

    def _sample(self, now: float) -> None:
        if not self._samples or now - self._samples[-1][0] >= _SAMPLE_S:
            self._samples.append((now, self._here_files, self._here_bytes))
        while len(self._samples) > 2 and now - self._samples[0][0] > _WINDOW_S:
            self._samples.popleft()

    def _rates(self) -> tuple[float, float | None]:
        began, files, size = self._samples[0]
        span = time.monotonic() - began
        if span < _SAMPLE_S:
            return 0.0, None
        rate = max(0.0, (self._here_bytes - size) / span)
        work = rate + _FILE_COST * (self._here_files - files) / span
        left = max(0, self._bytes - self._done_bytes)
        left += _FILE_COST * max(0, self._files - self._done_files)
        return rate, left / work if work > 0 else None
