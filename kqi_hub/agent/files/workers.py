"""Threads for files, apart from those of logs: a slow folder holds no log up."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from kqi_hub.agent.files.places import Roots
from kqi_hub.agent.files.works import Works

_THREADS: Final = 6


class Workers:
    """What all routes of files share."""

    def __init__(self, roots: Roots) -> None:
        self.roots = roots
        self.threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="files")
        self.long = ThreadPoolExecutor(_THREADS, thread_name_prefix="long")
        self.works = Works()
        # Files that are coming in, and what breaks each of them off.
        self.receiving: dict[tuple[int, int], Callable[[], None]] = {}
        self._background: set[asyncio.Task[None]] = set()

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Finish something that no request waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def close(self) -> None:
        """Begin nothing more."""
        self.works.close()
        for threads in (self.threads, self.long):
            threads.shutdown(wait=False, cancel_futures=True)
