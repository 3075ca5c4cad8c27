"""Tokens for running jobs in memory, over one run whose job runs.

The database alone keeps that a ticket is good once (tests/adapters/db): here it is good
again and again, so that every asker of a route can be given one.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from kqi_hub.domain.job import Job
from kqi_hub.domain.job_tokens import Holder, LeftToken, digest_of
from kqi_hub.domain.runs import Run, RunKind, RunState
from kqi_hub.domain.tokens import HubTokens
from kqi_hub.services.job_tokens import JobTokens
from tests.fakes.login import FakeAuditLog
from tests.fakes.runs import SPEC
from tests.fakes.slurm_reader import make_job
from tests.fakes.snapshot_store import FakeSnapshotStore

TICKET = "a-ticket-of-a-job"
JOB = 90
RUN = Run(1, RunKind.TRAINING, "mia", "k" * 26, SPEC, RunState.RUNNING, 1.0, 1.0, JOB)


def job_of_run(**changes: object) -> Job:
    """Return the job of RUN as the picture has it."""
    return make_job(JOB, **{"name": RUN.job_name, "user": RUN.owner, **changes})  # type: ignore[arg-type]  # as make_job itself takes them


@dataclass
class FakeJobTokenStore:
    """A JobTokenStore over runs that `is_over` says nothing of."""

    runs: dict[int, Run] = field(default_factory=dict)
    tickets: dict[str, str] = field(default_factory=dict)
    tokens: dict[int, str | None] = field(default_factory=dict)
    is_over: bool = False
    is_taken: bool = False
    tidied: list[float] = field(default_factory=list)

    def keep_ticket(self, key: str, digest: str, now: float) -> None:
        self.tickets[digest] = key

    def digests(self, key: str) -> tuple[str, ...]:
        return tuple(one for one, of in self.tickets.items() if of == key)

    def claim(self, run: Run, now: float) -> bool:
        if self.is_taken or self.is_over:
            return False
        self.tokens[run.id] = None
        return True

    def give_back(self, run_id: int) -> None:
        del self.tokens[run_id]

    def made(self, run_id: int, token_id: str, expires_at: float) -> None:
        self.tokens[run_id] = token_id

    def holder(self, token_id: str) -> Holder | None:
        for number, known in self.tokens.items():
            if known == token_id and not self.is_over:
                run = self.runs[number]
                return Holder(run.id, run.owner, run.spec.tenant)
        return None

    def left(self, limit: int) -> tuple[LeftToken, ...]:
        if not self.is_over:
            return ()
        return tuple(
            LeftToken(number, self.runs[number].owner, known)
            for number, known in self.tokens.items()
        )[:limit]

    def forget(self, run_ids: Collection[int]) -> None:
        for number in run_ids:
            del self.tokens[number]

    def tidy_tickets(self, before: float) -> None:
        self.tidied.append(before)

    def one(self, run_id: int) -> Run | None:
        return self.runs.get(run_id)


@dataclass
class FakeJobTokens:
    """What the service works with; each pause is noted, and none is made."""

    store: FakeJobTokenStore = field(default_factory=FakeJobTokenStore)
    picture: FakeSnapshotStore = field(default_factory=FakeSnapshotStore)
    audit: FakeAuditLog = field(default_factory=FakeAuditLog)
    now: float = 1000.0
    pauses: list[float] = field(default_factory=list)
    # What happens meanwhile.
    on_sleep: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self.set_run(RUN)
        self.store.keep_ticket(RUN.key, digest_of(TICKET), 1.0)
        self.set_job(job_of_run())

    def set_run(self, run: Run) -> None:
        """Let a run be known as this."""
        self.store.runs[run.id] = run

    def set_job(self, job: Job) -> None:
        """Let the picture have this job, and no other."""
        self.picture.known = {job.job_id: job}

    def change_run(self, **changes: object) -> None:
        """Change the one run."""
        self.set_run(replace(RUN, **changes))  # type: ignore[arg-type]  # fields by name

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        if self.on_sleep is not None:
            self.on_sleep()

    def service(self, hub: HubTokens, word: str, is_on: bool = True) -> JobTokens:
        """Return the service over these."""
        return JobTokens(
            store=self.store,
            runs=self.store,
            picture=self.picture,
            hub=hub,
            audit=self.audit,
            word=word,
            is_on=is_on,
            wall=lambda: self.now,
            steady=lambda: self.now,
            sleep=self.sleep,
        )
