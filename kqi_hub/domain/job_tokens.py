"""Tokens for `kqi` in the job of a run: a ticket goes in, a token is fetched, once.

The order of a job has a random ticket; the database has only its digest. While that
very job runs, the runner in it gets one token for the ticket: the person's, for the
run's tenant, and for as long as the run lasts.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from kqi_hub.domain.errors import NotPermitted
from kqi_hub.domain.job import Job
from kqi_hub.domain.runs import Run

# What the hub calls a token of a running job; people's own tokens have more or less.
JOB_SCOPE: Final = "custom:kqi:job"
LONGEST_TICKET: Final = 128
_TICKET_BYTES: Final = 32
_RUNS: Final = "RUNNING"
# A failure is answered no sooner, so that its time tells nothing of its cause; above so
# many failures of an address within a while, later and later.
_LEAST_DELAY_S: Final = 1.0
_MOST_DELAY_S: Final = 8.0
_FREE_FAILURES: Final = 20


@dataclass(frozen=True, slots=True)
class TokenAsked:
    """What the runner in a job says: which run and job it is, and the ticket."""

    ticket: str = field(repr=False)
    run_id: int
    job_id: int


@dataclass(frozen=True, slots=True)
class JobToken:
    """A token for the command of one job; its word is kept nowhere."""

    word: str = field(repr=False)
    expires_at: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose job has a token: the run still lives."""

    run_id: int
    owner: str
    tenant: str


@dataclass(frozen=True, slots=True)
class LeftToken:
    """A token whose run has ended; without a number, none was made in the end."""

    run_id: int
    owner: str
    token_id: str | None


class JobTokenStore(Protocol):
    """Tickets and tokens of runs; each call one transaction. Blocks."""

    def keep_ticket(self, key: str, digest: str, now: float) -> None:
        """Keep the digest of a ticket of a job's key, beside earlier ones."""

    def digests(self, key: str) -> tuple[str, ...]:
        """Return the digests of all tickets of a job's key."""

    def claim(self, run: Run, now: float) -> bool:
        """Take a run's one token for oneself; False once it is taken, or it is over."""

    def give_back(self, run_id: int) -> None:
        """Let go of a claim: no token came of it."""

    def made(self, run_id: int, token_id: str, expires_at: float) -> None:
        """Note the token that came of a claim."""

    def holder(self, token_id: str) -> Holder | None:
        """Return whose job has a token, None unless its run still lives."""

    def left(self, limit: int) -> tuple[LeftToken, ...]:
        """Return tokens of runs that have ended or are gone."""

    def forget(self, run_ids: Collection[int]) -> None:
        """Forget the tokens of these runs."""

    def tidy_tickets(self, before: float) -> None:
        """Forget tickets made before this moment that no live run has."""


class NoJobToken(NotPermitted):
    """No token for this job; whoever asks is never told why."""

    code = "no-job-token"

    def __init__(self, why: str = "") -> None:
        super().__init__(
            "There is no token for this job.",
            "A ticket is good once, while its own job runs; otherwise: kqi login",
        )
        # For the portal's own log.
        self.why = why


def new_ticket() -> str:
    """Return a ticket that nobody can guess."""
    return secrets.token_urlsafe(_TICKET_BYTES)


def digest_of(ticket: str) -> str:
    """Return what is kept of a ticket: it is random, so that a plain hash will do."""
    return hashlib.sha256(ticket.encode(errors="surrogatepass")).hexdigest()


def is_ticket(ticket: str, digests: Iterable[str]) -> bool:
    """Tell whether a ticket is one of these, in a time that tells nothing."""
    digest = digest_of(ticket)
    found = [hmac.compare_digest(digest, one) for one in digests]
    return any(found)


def is_job_of(job: Job, run: Run) -> bool:
    """Tell whether Slurm runs this job at present as the very one of a run."""
    task = None if run.task is None else str(run.task)
    return (
        job.state == _RUNS
        and run.copied_from is None
        and job.name == run.job_name
        and job.user == run.owner
        and run.job_id == (job.array_id or job.job_id)
        and job.task == task
    )


def lifetime_s(job: Job, run: Run, now: float, longest_s: int) -> int:
    """Return for how long a token is good: as long as the job may still run."""
    allowed = run.spec.lifetime_s if job.time_limit_s is None else job.time_limit_s
    ran = 0 if job.starts_at is None else max(0, int(now) - job.starts_at)
    return max(1, min(allowed - ran, longest_s))


def failure_delay_s(failures: int) -> float:
    """Return after how long a failure is answered, given the address's failures.

    It is a delay and no lock: jobs of others on the same node get their tokens.
    """
    over = max(0, failures - _FREE_FAILURES)
    return min(_LEAST_DELAY_S * 2.0 ** min(over, 10), _MOST_DELAY_S)
