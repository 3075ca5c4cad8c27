"""How long nobody has used the agent, and how many streams are open."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

MOST_STREAMS: Final = 32


class Use:
    """The agent's own clock of idleness; an open stream is use."""

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        self._last = time.monotonic()
        self.streams = 0
        self._held = 0

    def touch(self) -> None:
        """Note that the person did something."""
        self._last = time.monotonic()

    @property
    def left_s(self) -> float:
        """Return how long the agent goes on if nothing happens."""
        if self.streams or self._held:
            return self._idle_s
        return self._last + self._idle_s - time.monotonic()

    @property
    def is_full(self) -> bool:
        """Tell whether another stream would be one too many."""
        return self.streams >= MOST_STREAMS

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Count a stream while it is open."""
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1
            self.touch()

    def hold(self) -> None:
        """Stay while something is under way that is no stream, such as an upload."""
        self._held += 1

    def let_go(self) -> None:
        """Say that it is over."""
        self._held -= 1
        self.touch()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stay for the length of a `with`."""
        self.hold()
        try:
            yield
        finally:
            self.let_go()
