"""What goes on after the answer: kept, so that it is not collected half done."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Beside:
    """Work that nobody waits for."""

    def __init__(self) -> None:
        self._going: set[asyncio.Task[None]] = set()

    def go(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin something on the running loop."""
        task = asyncio.get_running_loop().create_task(work)
        self._going.add(task)
        task.add_done_callback(self._going.discard)
