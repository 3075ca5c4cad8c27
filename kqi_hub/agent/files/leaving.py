"""Work that ends when nobody waits for it any more."""

import threading


class Left(Exception):
    """Whoever asked has gone, so nobody needs the answer."""


class Leaving:
    """Shared by a request and the thread that works for it."""

    def __init__(self) -> None:
        self._gone = threading.Event()

    def leave(self) -> None:
        """Say that nobody waits any more."""
        self._gone.set()

    @property
    def is_gone(self) -> bool:
        """Tell whether somebody said so."""
        return self._gone.is_set()

    def check(self) -> None:
        """Stop the work of somebody who has gone."""
        if self._gone.is_set():
            raise Left
