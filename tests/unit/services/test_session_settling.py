"""Sessions end by what Slurm said, and never by what it did not say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from kqi_hub.domain.cluster import Reading
from kqi_hub.domain.errors import ClusterTimedOut
from kqi_hub.domain.job import OVER_STATES, EndedJob
from kqi_hub.domain.notebooks import Cause, Session
from kqi_hub.services.session_settling import (
    ASK_EVERY_S,
    GRACE_S,
    SessionSettler,
    cause_of,
)
from tests.fakes.notebooks import CHOICES, FakeNotebooks
from tests.fakes.queues import job
from tests.fakes.snapshot_store import FakeSnapshotStore

NOW = 1_795_000_000.0


@dataclass
class FakeAccounting:
    known: dict[int, EndedJob] = field(default_factory=dict)
    asked: int = 0
    is_silent: bool = False

    async def ended(self, job_ids: Sequence[int]) -> Mapping[int, EndedJob]:
        self.asked += 1
        if self.is_silent:
            raise ClusterTimedOut("slurmdbd does not answer.")
        return {i: self.known[i] for i in job_ids if i in self.known}


@dataclass
class Lab:
    fake: FakeNotebooks = field(default_factory=FakeNotebooks)
    store: FakeSnapshotStore = field(default_factory=FakeSnapshotStore)
    accounting: FakeAccounting = field(default_factory=FakeAccounting)
    now: float = NOW

    def __post_init__(self) -> None:
        sessions = self.fake.sessions
        made = self.fake.store.create("mia", CHOICES, NOW)
        asked = sessions.ask(made.id, CHOICES, "key", NOW)
        self.session = sessions.submitted(asked.id, 7, NOW)
        self.settler = SessionSettler(
            sessions, self.store, self.accounting, lambda: self.now
        )

    async def look(
        self, state: str = "", name: str = "", later_s: float = 10.0
    ) -> Session:
        """Let the worker see a job of this state, or none; return the session."""
        self.now += later_s
        seen = job(7, "mia", "jupyter", state, name=name or self.session.job_name)
        self.store.save(Reading(self.now, (), (), (seen,) if state else ()), {})
        await self.settler.settle()
        return self.fake.store.all_sessions[self.session.id]


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ("COMPLETED", Cause.FINISHED),
        ("FAILED", Cause.FAILED),
        ("TIMEOUT", Cause.LIFETIME),
        ("DEADLINE", Cause.LIFETIME),
        ("OUT_OF_MEMORY", Cause.OUT_OF_MEMORY),
        ("NODE_FAIL", Cause.NODE_FAILED),
        ("BOOT_FAIL", Cause.NODE_FAILED),
        ("CANCELLED", Cause.KILLED),
        ("PREEMPTED", Cause.KILLED),
        ("REVOKED", Cause.KILLED),
    ],
)
async def test_a_session_ends_as_its_job_did(
    lab: Lab, state: str, cause: Cause
) -> None:
    assert (await lab.look(state)).cause is cause


def test_every_state_that_ends_a_job_has_a_cause() -> None:
    assert {cause_of(state) for state in OVER_STATES} <= set(Cause)
    assert cause_of("SOMETHING_NEW") is Cause.FAILED


async def test_what_the_person_asked_for_outranks_the_state(lab: Lab) -> None:
    lab.fake.sessions.stopping(lab.session.id, Cause.STOPPED, NOW)
    assert (await lab.look("CANCELLED")).cause is Cause.STOPPED


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "COMPLETING", "SUSPENDED"])
async def test_a_live_job_is_a_live_session(lab: Lab, state: str) -> None:
    assert (await lab.look(state)).is_live
    assert lab.accounting.asked == 0


async def test_another_job_of_the_same_number_ends_nothing(lab: Lab) -> None:
    assert (await lab.look("COMPLETED", name="somebody-elses")).is_live


async def test_a_picture_from_before_the_submission_proves_nothing(lab: Lab) -> None:
    await lab.look(later_s=-5.0)
    assert lab.accounting.asked == 0


async def test_a_job_that_accounting_knows_ended_ends_the_session(lab: Lab) -> None:
    name = lab.session.job_name
    lab.accounting.known[7] = EndedJob(7, "OUT_OF_MEMORY", 0, int(NOW + 5), 1, 0, name)
    ended = await lab.look()
    assert (ended.cause, ended.exit_code) == (Cause.OUT_OF_MEMORY, 1)
    assert ended.ended_at == int(NOW + 5)


async def test_an_old_job_of_the_same_number_in_accounting_ends_nothing(
    lab: Lab,
) -> None:
    name = lab.session.job_name
    end = EndedJob(7, "COMPLETED", 0, int(NOW - 86_400), 0, 0, name)
    lab.accounting.known[7] = end
    assert (await lab.look()).is_live


async def test_the_end_of_another_job_of_the_number_ends_no_session(lab: Lab) -> None:
    end = EndedJob(7, "COMPLETED", 0, int(NOW + 5), 0, 0, "of-somebody-else")
    lab.accounting.known[7] = end
    assert (await lab.look()).is_live


async def test_a_job_that_nobody_knows_is_lost_after_its_grace(lab: Lab) -> None:
    assert (await lab.look()).is_live
    assert (await lab.look(later_s=GRACE_S - 1)).is_live
    assert (await lab.look(later_s=ASK_EVERY_S + 1)).cause is Cause.LOST


async def test_while_accounting_is_silent_nothing_is_lost(lab: Lab) -> None:
    await lab.look()
    lab.accounting.is_silent = True
    for _ in range(3):
        with pytest.raises(ClusterTimedOut):
            await lab.look(later_s=GRACE_S)
    lab.accounting.is_silent = False
    assert (await lab.look(later_s=ASK_EVERY_S)).is_live


async def test_accounting_is_asked_seldom(lab: Lab) -> None:
    for _ in range(20):
        await lab.look(later_s=3.0)
    assert lab.accounting.asked <= 3


async def test_before_the_first_picture_nothing_ends(lab: Lab) -> None:
    assert await lab.settler.settle() == ()
    assert lab.fake.sessions.live() == (lab.session,)
