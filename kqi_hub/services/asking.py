"""Questions to servers elsewhere while somebody waits: with an end, and fairly shared.

A server that is slow or down holds up those only who asked it, and those not for long.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from kqi_hub.domain.errors import KqiError

# A form waits no longer than this for what it can do without.
OFFER_S: Final = 6.0
RESOLVE_S: Final = 20.0
MOST_AT_ONCE: Final = 8
MOST_OF_ONE: Final = 3
_KEPT_S: Final = 30.0
K = TypeVar("K")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Offer(Generic[T]):
    """What is known, and why it is not more."""

    found: T
    why: KqiError | None = None


@dataclass
class Asking:
    """Places for questions; nobody takes all of them.

    `late` is the error of an answer that did not come within so many seconds, `busy`
    of a person who has so many questions under way.
    """

    late: Callable[[float], KqiError]
    busy: Callable[[int], KqiError]
    most_of_one: int = MOST_OF_ONE
    _of_each: dict[str, int] = field(default_factory=dict)
    _gate: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE)
    )

    async def asked(
        self, person: str, ask: Callable[[], Awaitable[T]], limit_s: float
    ) -> T:
        """Ask with patience that ends."""
        try:
            async with asyncio.timeout(limit_s), self._place(person):
                return await ask()
        except TimeoutError:
            raise self.late(limit_s) from None

    @asynccontextmanager
    async def _place(self, person: str) -> AsyncIterator[None]:
        if self._of_each.get(person, 0) >= self.most_of_one:
            raise self.busy(self.most_of_one)
        self._of_each[person] = self._of_each.get(person, 0) + 1
        try:
            async with self._gate:
                yield
        finally:
            self._of_each[person] -= 1
            if not self._of_each[person]:
                del self._of_each[person]


@dataclass
class Kept(Generic[K, T]):
    """The last answers, for as long as somebody types."""

    most: int
    _known: dict[K, tuple[float, T]] = field(default_factory=dict)

    def get(self, key: K, now: float) -> T | None:
        """Return an answer that is still fresh."""
        at, found = self._known.get(key, (-_KEPT_S, None))
        return found if now - at < _KEPT_S else None

    def keep(self, key: K, found: T, now: float) -> None:
        """Keep an answer; the oldest makes room."""
        self._known.pop(key, None)
        self._known[key] = (now, found)
        if len(self._known) > self.most:
            del self._known[next(iter(self._known))]
