"""Sizes are counted one at a time, beside everything: on slow scratch it takes long."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Counting:
    """Threads of its own, so that lists and logs never wait, nor the agent's end."""

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._one_at_a_time = threading.Lock()

    def begin(self, count: Callable[[str], None], name: str) -> None:
        """Count one soon; asked for twice it is counted once."""
        if name not in self._asked:
            self._asked.add(name)
            work = (count, name)
            threading.Thread(target=self._count, args=work, daemon=True).start()

    def _count(self, count: Callable[[str], None], name: str) -> None:
        try:
            with self._one_at_a_time:
                count(name)
        except OSError as error:
            log.warning("the size of %s is not counted: %s", ascii(name), error)
        finally:
            self._asked.discard(name)
