"""Hear signals one after the other, instead of being interrupted by them."""

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Final, Self

_HEARD: Final = (signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD)


class Ears:
    """Note signals as they come, as long as this is entered."""

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        os.set_blocking(self._reader, False)
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._before = {one: signal.signal(one, _hear) for one in _HEARD}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._reader)
        os.close(self._writer)

    def wait(self, timeout_s: float | None) -> frozenset[int]:
        """Return what has come; nothing when the time is up before."""
        if not select.select([self._reader], [], [], timeout_s)[0]:
            return frozenset()
        return frozenset(os.read(self._reader, 4096))


def _hear(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the number is in the pipe."""
