"""Exchange a job's ticket for a token, tell whose job has one, take back what is left.

Whoever asks without a right ticket is told the same thing, at the same time, whatever
the cause: only the log of the portal knows more.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Final, Protocol

from kqi_hub.domain.errors import KqiError, NotFound
from kqi_hub.domain.job import Job
from kqi_hub.domain.job_tokens import (
    JOB_SCOPE,
    Holder,
    JobToken,
    JobTokenStore,
    LeftToken,
    NoJobToken,
    TokenAsked,
    digest_of,
    failure_delay_s,
    is_job_of,
    is_ticket,
    lifetime_s,
    new_ticket,
)
from kqi_hub.domain.login import AuditEvent, AuditLog
from kqi_hub.domain.runs import Run, RunState
from kqi_hub.domain.tokens import HubTokens, NewToken, Wish

# A job that has begun is in the picture after its next look; that one is asked for.
PATIENCE_S: Final = 20.0
_GLANCE_S: Final = 0.5
_WHILE_S: Final = 900.0
_MOST_ADDRESSES: Final = 1000
_SWEEP_EVERY_S: Final = 60.0
_AT_ONCE: Final = 100
# Orders whose submission is still tried have a ticket, and a run that lives.
_TICKETS_KEPT_S: Final = 3600.0
log = logging.getLogger(__name__)


class RunReader(Protocol):
    """Runs by number. Blocks."""

    def one(self, run_id: int) -> Run | None:
        """Return one, whoever it belongs to."""


class JobPicture(Protocol):
    """What the worker has stored of jobs. Blocks."""

    def known_jobs(
        self, job_ids: Collection[int], names: Collection[str] = ()
    ) -> tuple[Job, ...]:
        """Return the jobs of these ids or names, live or ended, that it has."""

    def request_refresh(self, asked_at: float) -> None:
        """Ask the worker for a fresh look; many requests become one."""


class Failures:
    """How often addresses have failed of late, in the memory of this process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[str, tuple[int, float]] = {}

    def count(self, address: str) -> int:
        """Count one more and return how many there were within a while."""
        now = self._clock()
        count, last = self._known.pop(address, (0, now))
        count = 1 if now - last >= _WHILE_S else count + 1
        self._known[address] = (count, now)
        while len(self._known) > _MOST_ADDRESSES:
            del self._known[next(iter(self._known))]
        return count


@dataclass
class JobTokens:
    """Tokens for running jobs; one in the portal's process. `word` is its own token."""

    store: JobTokenStore
    runs: RunReader
    picture: JobPicture
    hub: HubTokens
    audit: AuditLog
    word: str = field(repr=False)
    is_on: bool = True
    longest_s: int = 90 * 86_400
    patience_s: float = PATIENCE_S
    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def __post_init__(self) -> None:
        self._failures = Failures(self.steady)

    async def exchange(self, asked: TokenAsked, address: str) -> JobToken:
        """Return the one token of a job that runs; NoJobToken for everything else."""
        began = self.steady()
        try:
            return await self._exchanged(asked, address)
        except NoJobToken as refusal:
            log.info("no token for run %d, %s: %s", asked.run_id, address, refusal.why)
            delay = failure_delay_s(self._failures.count(address))
            await self.sleep(max(0.0, began + delay - self.steady()))
            raise NoJobToken from None

    async def holder(self, token_id: str) -> Holder | None:
        """Return whose running job has a token; None for none, or where all is off."""
        if not self.is_on:
            return None
        return await asyncio.to_thread(self.store.holder, token_id)

    async def _exchanged(self, asked: TokenAsked, address: str) -> JobToken:
        run = await asyncio.to_thread(self._ticketed, asked)
        job, run = await self._running(run, asked.job_id)
        if not await asyncio.to_thread(self.store.claim, run, self.wall()):
            raise NoJobToken("it was given out before, or the run has ended")
        try:
            made = await self._made(run, job)
        except KqiError as error:
            await asyncio.to_thread(self.store.give_back, run.id)
            raise NoJobToken(f"the hub makes none: {error}") from error
        expires_at = made.token.expires_at or int(self.wall())
        await asyncio.to_thread(self._note, run, made, expires_at, address)
        return JobToken(made.word, expires_at)

    def _ticketed(self, asked: TokenAsked) -> Run:
        """Return the run whose ticket it is."""
        run = self.runs.one(asked.run_id) if self.is_on else None
        digests = self.store.digests(run.key) if run is not None else ()
        if not is_ticket(asked.ticket, digests) or run is None:
            raise NoJobToken("it is no ticket of this run")
        return run

    async def _running(self, run: Run, job_id: int) -> tuple[Job, Run]:
        """Return the job once the picture says that it runs, and the run as it is then.

        A job that has just begun is waited for: the picture lags behind it a little.
        """
        until = self.steady() + self.patience_s
        known = await asyncio.to_thread(self._look, run.id, job_id)
        if not _is_right(*known):
            await asyncio.to_thread(self.picture.request_refresh, self.wall())
        while not _is_right(*known):
            if self.steady() >= until or _is_hopeless(*known):
                raise NoJobToken(f"job {job_id} does not run as this run's")
            await self.sleep(_GLANCE_S)
            known = await asyncio.to_thread(self._look, run.id, job_id)
        job, now = known
        if job is None or now is None:
            raise NoJobToken("it is gone")
        return job, now

    def _look(self, run_id: int, job_id: int) -> tuple[Job | None, Run | None]:
        run = self.runs.one(run_id)
        found = self.picture.known_jobs([job_id])
        return next((job for job in found if job.job_id == job_id), None), run

    async def _made(self, run: Run, job: Job) -> NewToken:
        lasts = lifetime_s(job, run, self.wall(), self.longest_s)
        wish = Wish(f"kqi in {run.kind} {run.id}", (JOB_SCOPE,), lasts)
        return await self.hub.create(self.word, run.owner, wish)

    def _note(self, run: Run, made: NewToken, expires_at: float, address: str) -> None:
        self.store.made(run.id, made.token.id, expires_at)
        event = AuditEvent(
            at=self.wall(),
            actor=run.owner,
            action="token-made",
            target=made.token.id,
            address=address,
            detail={"scopes": JOB_SCOPE, "note": f"{run.kind}-{run.id}"},
        )
        self.audit.append(event)

    async def run(self) -> None:
        """Take back what ended jobs have left, for ever; only cancelling ends it."""
        while True:
            try:
                await self.sweep()
            except KqiError as error:
                log.warning("tokens of ended jobs are taken back later: %s", error)
            await self.sleep(_SWEEP_EVERY_S)

    async def sweep(self) -> None:
        """Take back, once, what the portal refuses already: the hub forgets it, too."""
        left = await asyncio.to_thread(self.store.left, _AT_ONCE)
        gone = [one.run_id for one in left if await self._revoked(one)]
        if gone:
            await asyncio.to_thread(self.store.forget, gone)
        before = self.wall() - _TICKETS_KEPT_S
        await asyncio.to_thread(self.store.tidy_tickets, before)

    async def _revoked(self, left: LeftToken) -> bool:
        if left.token_id is None:
            return True
        try:
            await self.hub.revoke(self.word, left.owner, left.token_id)
        except NotFound:
            return True  # it has expired, or the person has revoked it
        except KqiError as error:
            log.warning(
                "token %s of run %d stays: %s", left.token_id, left.run_id, error
            )
            return False
        return True


@dataclass(frozen=True)
class Tickets:
    """Put a ticket into the order of each job that is submitted; blocks."""

    store: JobTokenStore
    is_on: bool
    wall: Callable[[], float] = time.time

    def __call__(self, run: Run) -> str:
        """Return a new ticket for a job by its first run, empty where there is none.

        Who submits a script by hand logs in by hand.
        """
        if not self.is_on or run.state is RunState.PREPARED:
            return ""
        ticket = new_ticket()
        self.store.keep_ticket(run.key, digest_of(ticket), self.wall())
        return ticket


def _is_right(job: Job | None, run: Run | None) -> bool:
    if job is None or run is None or run.stopping is not None:
        return False
    return is_job_of(job, run)


def _is_hopeless(job: Job | None, run: Run | None) -> bool:
    """Tell whether no later look can make it right."""
    if run is None or not run.is_live or run.stopping is not None:
        return True
    if run.job_id is None:
        return False  # sbatch has not yet come back to whoever submitted it
    return job is not None and (
        job.is_over or job.user != run.owner or job.name != run.job_name
    )
