"""Draw pages and write long documents off the loop, which answers others meanwhile."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar

T = TypeVar("T")
# Drawing is Python from end to end, so threads draw no faster than one: they only take
# the interpreter from the loop more often.
THREADS: Final = 1
NAME: Final = "drawing"


def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix=NAME)


@dataclass(frozen=True, slots=True)
class Drawing:
    """The thread that works for the loop; it ends with the process, or with this."""

    _threads: ThreadPoolExecutor = field(default_factory=_pool, repr=False)

    async def off_loop(self, work: Callable[[], T]) -> T:
        """Return what the work makes, or raise what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
