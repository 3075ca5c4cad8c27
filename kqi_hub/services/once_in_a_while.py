"""What is done for a person before each of many deeds, but need not be each time."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

_WHILE_S: Final = 60.0


class OnceInAWhile:
    """Do something for a person, and not again within a while after it went well.

    Made for folders on scratch: a job may start hours after they were made, so that
    nothing depends on their having been looked at a moment ago.
    """

    def __init__(
        self,
        deed: Callable[[str], Awaitable[None]],
        while_s: float = _WHILE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deed = deed
        self._while_s = while_s
        self._clock = clock
        self._done_at: dict[str, float] = {}

    async def __call__(self, person: str) -> None:
        """Do it unless it was done a moment ago; raises what the deed raises."""
        now = self._clock()
        if now - self._done_at.get(person, float("-inf")) < self._while_s:
            return
        await self._deed(person)
        # From before it was done: what happened meanwhile may have undone it.
        self._done_at[person] = now
