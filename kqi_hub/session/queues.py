"""The queues and their free nodes, as the portal's picture has them: no Slurm command.

The hub is asked with the server's own token; whoever looks at the page again soon gets
the same answer.
"""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from jupyterhub.httpclient import fetch

# A page does not wait long for it: engines are started without it as well.
_TIMEOUT_S: Final = 2.0
_KEPT_S: Final = 10.0
_MOST: Final = 1000
_TRUSTED: Final = ("fresh", "partial")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue, and how many of its nodes are free."""

    name: str
    is_up: bool
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Seen:
    """The queues as they were; `age_s` is None where nobody has seen any yet."""

    queues: tuple[Queue, ...] = ()
    age_s: float | None = None
    is_stale: bool = False
    is_away: bool = False


def read_seen(told: Any) -> Seen:
    """Return what the hub says; ValueError, LookupError or TypeError for rubbish."""
    age = told["age_s"]
    queues = [
        Queue(str(one["name"]), bool(one["is_up"]), int(one["free"]), int(one["total"]))
        for one in told["queues"][:_MOST]
    ]
    return Seen(
        tuple(queues),
        None if age is None else max(0.0, float(age)),
        is_stale=told["trust"] not in _TRUSTED,
    )


async def ask_hub() -> Any:
    """Return what the hub says, with the token of this server."""
    url = os.environ.get("JUPYTERHUB_API_URL", "").rstrip("/") + "/kqi/queues"
    token = os.environ.get("JUPYTERHUB_API_TOKEN", "")
    answer = await fetch(url, headers={"Authorization": f"token {token}"})
    return await answer.json()


class Queues:
    """Asks at most once in ten seconds, and keeps what it heard while none answers."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[Any]] = ask_hub,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._clock = ask, clock
        self._one = asyncio.Lock()
        self._seen = Seen()
        self._heard_at = 0.0
        self._asked_at: float | None = None

    async def now(self) -> Seen:
        """Return the queues as they are known now; never raises."""
        async with self._one:
            if self._asked_at is None or self._clock() - self._asked_at >= _KEPT_S:
                await self._renew()
                self._asked_at = self._clock()
        if self._seen.age_s is None:
            return self._seen
        older = self._clock() - self._heard_at
        return replace(self._seen, age_s=self._seen.age_s + older)

    async def _renew(self) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                self._seen = read_seen(await self._ask())
        except Exception as error:  # noqa: BLE001  # whatever it is, the page comes
            if not self._seen.is_away:
                _log.warning("The hub does not say which queues have room: %s", error)
            self._seen = replace(self._seen, is_away=True)
            return
        self._heard_at = self._clock()
