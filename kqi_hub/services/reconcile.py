"""Ask accounting about lost jobs beside the polling, seldom when it stays silent."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.job import Job
from kqi_hub.domain.ports import ClusterReader
from kqi_hub.services.snapshot import Verdict, confirm_ended

LastSeen = Callable[[], Mapping[int, Job]]
# A look waits this long for accounting; a slower answer counts in the next look.
PATIENCE_S: Final = 2.0
FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """When a job may be asked about again, and how long the pause before was."""

    again_at: float
    pause_s: float


class Reconciler:
    """Settle lost jobs with at most one question to accounting under way."""

    def __init__(
        self,
        reader: ClusterReader,
        last_seen: LastSeen,
        steady: Callable[[], float],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._reader = reader
        self._last_seen = last_seen
        self._steady = steady
        self._patience_s = patience_s
        self._asked: dict[int, _Asked] = {}
        self._question: asyncio.Task[Verdict] | None = None
        self._error = ""

    async def settle(self, lost: Sequence[int]) -> Verdict:
        """Return which of the lost jobs have ended; all others stay live."""
        missing = set(lost)
        self._asked = {i: asked for i, asked in self._asked.items() if i in missing}
        if self._question is None and (due := self._due(lost)):
            self._question = asyncio.create_task(self._ask(due))
        answer = await self._answer()
        ended = {i: end for i, end in answer.ended.items() if i in missing}
        unconfirmed = tuple(i for i in lost if i not in ended)
        return Verdict(ended, unconfirmed, self._error if unconfirmed else "")

    async def close(self) -> None:
        """Give up the question under way."""
        if self._question is not None:
            self._question.cancel()
            await asyncio.wait({self._question})
            self._question = None

    def _due(self, lost: Sequence[int]) -> tuple[int, ...]:
        now = self._steady()
        return tuple(
            i for i in lost if i not in self._asked or self._asked[i].again_at <= now
        )

    async def _ask(self, due: Sequence[int]) -> Verdict:
        last_seen = await asyncio.to_thread(self._last_seen)
        return await confirm_ended(self._reader, due, last_seen)

    async def _answer(self) -> Verdict:
        if self._question is None:
            return Verdict()
        done, _ = await asyncio.wait({self._question}, timeout=self._patience_s)
        if not done:
            self._error = "accounting has not answered yet"
            return Verdict()
        question, self._question = self._question, None
        answer = question.result()
        self._error = answer.error
        self._pause(answer.unconfirmed)
        return answer

    def _pause(self, unconfirmed: Sequence[int]) -> None:
        now = self._steady()
        for job_id in unconfirmed:
            before = self._asked.get(job_id)
            longer = FIRST_PAUSE_S if before is None else 2 * before.pause_s
            pause_s = min(longer, LONGEST_PAUSE_S)
            self._asked[job_id] = _Asked(now + pause_s, pause_s)
