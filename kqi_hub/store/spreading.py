"""Work that finds more work, over a few threads: folders whose folders come next."""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

T = TypeVar("T")
# Linking waits for the file system more than for a processor.
THREADS: Final = 4
_TELL_EVERY_S: Final = 0.5


class Spread(Generic[T]):
    """Do `work` for each thing, and for each that it returns; the first error ends it.

    Raises that error when all threads have ended.
    """

    def __init__(self, things: Iterable[T], work: Callable[[T], Iterable[T]]) -> None:
        self._left = deque(things)
        self._work = work
        self._busy = 0
        self._change = threading.Condition()
        self._error: BaseException | None = None

    def run(self, tell: Callable[[], None] | None = None) -> None:
        """Return when everything is done; `tell` is called now and then."""
        threads = [threading.Thread(target=self._loop) for _ in range(THREADS)]
        for one in threads:
            one.start()
        for one in threads:
            while one.is_alive():
                one.join(_TELL_EVERY_S)
                self._tell(tell)
        if self._error is not None:
            raise self._error

    def _tell(self, tell: Callable[[], None] | None) -> None:
        if tell is None or self._error is not None:
            return
        try:
            tell()
        except BaseException as error:  # noqa: BLE001  raised again by `run`
            self._end(error)

    def _loop(self) -> None:
        while (thing := self._next()) is not None:
            try:
                found = self._work(thing[0])
            except BaseException as error:  # noqa: BLE001  raised again by `run`
                self._end(error)
                return
            with self._change:
                self._left.extend(found)
                self._busy -= 1
                self._change.notify_all()

    def _next(self) -> tuple[T] | None:
        with self._change:
            while not self._left and self._busy and self._error is None:
                self._change.wait()
            if not self._left or self._error is not None:
                return None
            self._busy += 1
            return (self._left.pop(),)

    def _end(self, error: BaseException) -> None:
        with self._change:
            self._error = self._error or error
            self._change.notify_all()
