"""Work that outlives a request: deleting, offering. A page asks how it is."""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from kqi_hub.agent.disk import disk_problem
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.leaving import Leaving, Left
from kqi_hub.agent.use import Use

_AT_ONCE: Final = 4
_MOST_WAITING: Final = 20
_KEPT: Final = 50
_MOST_MISSES: Final = 100
_ENDED: Final = frozenset({"done", "failed", "cancelled"})


@dataclass(slots=True)
class Work:
    """One piece of work, and how far it is."""

    id: str
    kind: str
    state: str = "waiting"
    done: int = 0
    of: int | None = None
    bytes: int = 0
    missed: int = 0
    misses: list[dict[str, str]] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)
    error: dict[str, str] | None = None
    began_at: float = field(default_factory=time.time)
    ended_at: float | None = None
    leaving: Leaving = field(default_factory=Leaving)

    def step(self, size: int) -> None:
        """Count one thing; ends the work when that was asked for."""
        self.done += 1
        self.bytes += size
        self.leaving.check()

    def miss(self, path: str, code: str, message: str) -> None:
        """Count one thing that was not done, and why; the first are remembered."""
        self.missed += 1
        if len(self.misses) < _MOST_MISSES:
            said = {"path": path, "error": code, "message": message}
            self.misses.append(said)

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more happens."""
        return self.state in _ENDED

    def fields(self) -> dict[str, Any]:
        """Return it as it is told."""
        return {
            "id": self.id, "kind": self.kind, "state": self.state, "done": self.done,
            "of": self.of, "bytes": self.bytes, "missed": self.missed,
            "misses": list(self.misses), "result": dict(self.result),
            "error": self.error, "began_at": self.began_at, "ended_at": self.ended_at,
        }  # fmt: skip


class Works:
    """What is under way, and what has ended lately."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="work")
        self._known: OrderedDict[str, Work] = OrderedDict()
        self._running: dict[str, asyncio.Task[None]] = {}

    def begin(self, kind: str, use: Use, task: Callable[[Work], None]) -> Work:
        """Do it beside everything; the agent stays until it has ended."""
        if len(self._running) >= _MOST_WAITING:
            raise Problem(429, "too-much", "Too much is under way already: wait a bit.")
        work = Work(secrets.token_hex(8), kind)
        self._known[work.id] = work
        self._forget()
        running = asyncio.get_running_loop().create_task(self._run(work, use, task))
        self._running[work.id] = running
        running.add_done_callback(lambda _: self._running.pop(work.id))
        return work

    async def wait(self, work: Work, seconds: float) -> None:
        """Wait until it has ended, but no longer."""
        running = self._running.get(work.id)
        if running is not None:
            await asyncio.wait({running}, timeout=seconds)

    def get(self, number: str) -> Work:
        """Return one; Problem 404 when nobody knows it (any more)."""
        if number not in self._known:
            raise Problem(
                404,
                "not-there",
                "This work is not known (any more): look at the folder.",
            )
        return self._known[number]

    def all(self) -> list[Work]:
        """Return all that are known, the newest first."""
        return list(reversed(self._known.values()))

    def close(self) -> None:
        """End everything."""
        for work in self._known.values():
            work.leaving.leave()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Work, use: Use, task: Callable[[Work], None]) -> None:
        loop = asyncio.get_running_loop()
        with use.held():
            await loop.run_in_executor(self._threads, _do, work, task)

    def _forget(self) -> None:
        ended = [number for number, work in self._known.items() if work.is_over]
        for number in ended[: max(0, len(self._known) - _KEPT)]:
            del self._known[number]


def _do(work: Work, task: Callable[[Work], None]) -> None:
    """Do it, and say how it ended."""
    try:
        work.leaving.check()
        work.state = "running"
        task(work)
        state = "done"
    except Left:
        state = "cancelled"
    except (Problem, OSError) as error:
        problem = error if isinstance(error, Problem) else disk_problem(error)
        work.error = {"error": problem.code, "message": problem.message}
        state = "failed"
    except Exception:
        work.error = {
            "error": "error",
            "message": "It ended by a fault of the agent's.",
        }
        work.state, work.ended_at = "failed", time.time()
        raise
    work.state, work.ended_at = state, time.time()
