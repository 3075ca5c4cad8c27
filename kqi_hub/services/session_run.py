"""What the hub's process remembers of a session that it starts, runs or stops."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.job import Job
from kqi_hub.domain.notebooks import Cause, Phase, Session


class StartFailed(KqiError):
    """A notebook did not start; the message says why and where its log is."""

    status, exit_code, code = 409, 5, "start-failed"


class Heard(StrEnum):
    """What becomes of a word from a session."""

    TAKEN = "taken"
    UNWANTED = "unwanted"  # known, but not now: late, twice, or of another job


@dataclass
class Run:
    """One session in this process's memory; only the event loop touches it.

    `unsure_since` is the time of a submission of which nobody knows whether Slurm has
    it. `failed` is why the hub itself gives the session up.
    """

    session: Session
    job_id: int | None = None
    unsure_since: float | None = None
    submission: "asyncio.Task[None] | None" = None
    ending: "asyncio.Task[None] | None" = None
    port: int | None = None
    began: bool = False  # something in the job has spoken
    exit_code: int | None = None
    seen: tuple[tuple[str, int], ...] = ()
    job: Job | None = None  # as the last look has it
    looked_at: float | None = None  # when that look was taken
    failed: Cause | None = None
    failure: str = ""
    stop_asked: bool = False
    over: bool = False
    tell_over: Callable[[], None] = lambda: None
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def id(self) -> int:
        """Return the session's id."""
        return self.session.id

    @property
    def owner(self) -> str:
        """Return whose session it is."""
        return self.session.owner

    @property
    def job_name(self) -> str:
        """Return the job's name at Slurm."""
        return self.session.job_name

    @property
    def has_begun(self) -> bool:
        """Tell whether its job runs or has run, as far as is known."""
        reached = self.session.phase not in {Phase.ASKED, Phase.QUEUED}
        seen = self.job is not None and not self.job.is_waiting
        return self.began or reached or seen

    def move(self) -> None:
        """Wake whoever waits for something to happen to this session."""
        self._moved.set()

    async def until(self, true: Callable[[], bool], longest_s: float) -> bool:
        """Wait until something is true, at most so long; return whether it is."""
        try:
            async with asyncio.timeout(longest_s):
                while not true():
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return true()
        return True

    def end(self) -> None:
        """Remember that it is over and tell whoever wants to know, once."""
        if not self.over:
            self.over = True
            self.tell_over()
        self.move()
