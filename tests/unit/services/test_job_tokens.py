"""A job's ticket becomes one token, for that very job while it runs."""

from dataclasses import replace

import pytest

from kqi_hub.domain.errors import HubUnavailable, NotFound
from kqi_hub.domain.job_tokens import (
    JOB_SCOPE,
    NoJobToken,
    TokenAsked,
    digest_of,
    failure_delay_s,
    is_job_of,
    is_ticket,
    lifetime_s,
    new_ticket,
)
from kqi_hub.domain.runs import RunState
from kqi_hub.domain.tokens import ApiToken, NewToken, Wish
from kqi_hub.services.job_tokens import Failures, JobTokens, Tickets
from tests.fakes.job_tokens import (
    JOB,
    RUN,
    TICKET,
    FakeJobTokens,
    FakeJobTokenStore,
    job_of_run,
)
from tests.fakes.slurm_reader import make_job

ASKED = TokenAsked(TICKET, RUN.id, JOB)
NODE = "192.0.2.9"


class FakeHubTokens:
    """The hub, which makes and revokes tokens for the portal's word."""

    def __init__(self) -> None:
        self.wishes: list[tuple[str, str, Wish]] = []
        self.revoked: list[str] = []
        self.fault: Exception | None = None

    async def tokens(self, word: str, person: str) -> tuple[ApiToken, ...]:
        raise AssertionError("nobody lists tokens here")

    async def one(self, word: str, person: str, token_id: str) -> ApiToken:
        raise AssertionError("nobody reads a token here")

    async def create(self, word: str, person: str, wish: Wish) -> NewToken:
        if self.fault is not None:
            raise self.fault
        self.wishes.append((word, person, wish))
        number = f"a{len(self.wishes)}"
        token = ApiToken(number, wish.note, wish.scopes, expires_at=5000)
        return NewToken(token, f"word-{number}")

    async def revoke(self, word: str, person: str, token_id: str) -> None:
        if self.fault is not None:
            raise self.fault
        self.revoked.append(token_id)


@pytest.fixture
def lab() -> FakeJobTokens:
    return FakeJobTokens()


@pytest.fixture
def hub() -> FakeHubTokens:
    return FakeHubTokens()


@pytest.fixture
def ready(lab: FakeJobTokens, hub: FakeHubTokens) -> JobTokens:
    return lab.service(hub, "the portal's")


async def test_a_running_job_gets_a_token_of_its_person_for_as_long_as_it_may_run(
    ready: JobTokens, lab: FakeJobTokens, hub: FakeHubTokens
) -> None:
    lab.set_job(job_of_run(starts_at=400, time_limit_s=3600))
    token = await ready.exchange(ASKED, NODE)
    assert (token.word, token.expires_at) == ("word-a1", 5000)
    [(word, person, wish)] = hub.wishes
    assert (word, person, wish.scopes) == ("the portal's", "mia", (JOB_SCOPE,))
    assert wish.lifetime_s == 3600 - 600
    assert lab.pauses == []
    held = await ready.holder("a1")
    assert held is not None
    assert (held.run_id, held.owner, held.tenant) == (1, "mia", "vision")


async def test_it_is_audited_without_its_word(
    ready: JobTokens, lab: FakeJobTokens
) -> None:
    await ready.exchange(ASKED, NODE)
    [event] = lab.audit.events
    assert (event.actor, event.action, event.target) == ("mia", "token-made", "a1")
    assert event.address == NODE
    assert "word-a1" not in repr(event)
    assert TICKET not in repr(event)


def test_neither_ticket_nor_word_is_in_what_is_printed(ready: JobTokens) -> None:
    assert TICKET not in repr(ASKED)
    assert "the portal's" not in repr(ready)


REFUSED = {
    "a guess": replace(ASKED, ticket="A" * 43),
    "an empty ticket": replace(ASKED, ticket=""),
    "a ticket with more behind it": replace(ASKED, ticket=TICKET + "\0"),
    "its digest": replace(ASKED, ticket=digest_of(TICKET)),
    "a ticket that is no ASCII": replace(ASKED, ticket="切符"),
    "a ticket that is no text": replace(ASKED, ticket="\ud800"),
    "no such run": replace(ASKED, run_id=99),
    "a run of the same person": replace(ASKED, run_id=2),
    "another job": replace(ASKED, job_id=91),
    "no such job": replace(ASKED, job_id=12345),
}


@pytest.mark.parametrize("asked", REFUSED.values(), ids=REFUSED)
async def test_whatever_is_wrong_is_answered_the_same(
    ready: JobTokens, lab: FakeJobTokens, hub: FakeHubTokens, asked: TokenAsked
) -> None:
    lab.set_run(replace(RUN, id=2, key="j" * 26, job_id=91))
    lab.picture.known[91] = make_job(91, name=f"training-2-{'j' * 26}", user="mia")
    with pytest.raises(NoJobToken) as refusal:
        await ready.exchange(asked, NODE)
    assert (str(refusal.value), refusal.value.why) == (str(NoJobToken()), "")
    assert hub.wishes == []
    assert sum(lab.pauses) >= 1.0


JOBS = {
    "waits": {"state": "PENDING"},
    "has ended": {"state": "COMPLETED"},
    "was cancelled": {"state": "CANCELLED"},
    "is suspended": {"state": "SUSPENDED"},
    "is somebody else's": {"user": "mallory"},
    "has another name": {"name": "training-1-" + "x" * 26},
    "is a task of an array": {"array_id": JOB, "task": "1"},
}


@pytest.mark.parametrize("changes", JOBS.values(), ids=JOBS)
async def test_only_the_very_job_gets_a_token_and_only_while_it_runs(
    ready: JobTokens,
    lab: FakeJobTokens,
    hub: FakeHubTokens,
    changes: dict[str, object],
) -> None:
    lab.set_job(job_of_run(**changes))
    with pytest.raises(NoJobToken):
        await ready.exchange(ASKED, NODE)
    assert hub.wishes == []


RUNS = {
    "has ended": {"state": RunState.COMPLETED, "ended_at": 2.0},
    "is collected": {"state": RunState.COLLECTING, "ended_at": 2.0},
    "is being stopped": {"stopping": RunState.USER_CANCELED},
    "has another job": {"job_id": 91},
    "is a copy of another": {"copied_from": 1},
}


@pytest.mark.parametrize("changes", RUNS.values(), ids=RUNS)
async def test_a_run_that_does_not_live_or_has_another_job_gets_none(
    ready: JobTokens,
    lab: FakeJobTokens,
    hub: FakeHubTokens,
    changes: dict[str, object],
) -> None:
    lab.change_run(**changes)
    lab.store.is_over = "ended_at" in changes
    with pytest.raises(NoJobToken):
        await ready.exchange(ASKED, NODE)
    assert hub.wishes == []


async def test_a_job_that_has_just_begun_is_waited_for_by_one_look(
    ready: JobTokens, lab: FakeJobTokens
) -> None:
    lab.set_job(job_of_run(state="PENDING"))
    lab.on_sleep = lambda: lab.set_job(job_of_run())
    assert (await ready.exchange(ASKED, NODE)).word == "word-a1"
    assert lab.picture.asked == 1000.0
    assert 0 < sum(lab.pauses) < ready.patience_s


async def test_a_picture_that_nobody_renews_is_waited_for_with_an_end(
    ready: JobTokens, lab: FakeJobTokens
) -> None:
    lab.picture.known = {}
    with pytest.raises(NoJobToken):
        await ready.exchange(ASKED, NODE)
    assert ready.patience_s <= sum(lab.pauses) < ready.patience_s + 10


async def test_a_job_before_sbatch_has_come_back_is_waited_for(
    ready: JobTokens, lab: FakeJobTokens
) -> None:
    lab.change_run(job_id=None)
    lab.on_sleep = lambda: lab.set_run(RUN)
    assert (await ready.exchange(ASKED, NODE)).word == "word-a1"


async def test_a_second_one_is_not_made(
    ready: JobTokens, lab: FakeJobTokens, hub: FakeHubTokens
) -> None:
    lab.store.is_taken = True
    with pytest.raises(NoJobToken):
        await ready.exchange(ASKED, NODE)
    assert hub.wishes == []


@pytest.mark.parametrize("fault", [HubUnavailable("away"), NotFound("no such person")])
async def test_a_hub_that_makes_none_leaves_the_ticket_good(
    ready: JobTokens, lab: FakeJobTokens, hub: FakeHubTokens, fault: Exception
) -> None:
    hub.fault = fault
    with pytest.raises(NoJobToken):
        await ready.exchange(ASKED, NODE)
    assert lab.store.tokens == {}
    hub.fault = None
    assert (await ready.exchange(ASKED, NODE)).word == "word-a1"


async def test_where_it_is_off_nobody_gets_one_and_those_given_are_worthless(
    lab: FakeJobTokens, hub: FakeHubTokens
) -> None:
    await lab.service(hub, "w").exchange(ASKED, NODE)
    off = lab.service(hub, "w", is_on=False)
    assert await off.holder("a1") is None
    with pytest.raises(NoJobToken):
        await off.exchange(ASKED, NODE)
    assert Tickets(lab.store, is_on=False)(RUN) == ""


async def test_the_end_of_the_run_ends_the_token(
    ready: JobTokens, lab: FakeJobTokens, hub: FakeHubTokens
) -> None:
    await ready.exchange(ASKED, NODE)
    await ready.sweep()
    assert hub.revoked == []
    lab.store.is_over = True
    assert await ready.holder("a1") is None
    await ready.sweep()
    assert (hub.revoked, lab.store.tokens) == (["a1"], {})


@pytest.mark.parametrize(
    ("fault", "stays"), [(HubUnavailable("away"), True), (NotFound("gone"), False)]
)
async def test_what_cannot_be_revoked_is_tried_again(
    ready: JobTokens,
    lab: FakeJobTokens,
    hub: FakeHubTokens,
    fault: Exception,
    stays: bool,
) -> None:
    await ready.exchange(ASKED, NODE)
    lab.store.is_over, hub.fault = True, fault
    await ready.sweep()
    assert bool(lab.store.tokens) is stays


async def test_who_fails_often_waits_longer_and_no_neighbour_waits(
    ready: JobTokens, lab: FakeJobTokens
) -> None:
    for _ in range(30):
        with pytest.raises(NoJobToken):
            await ready.exchange(replace(ASKED, ticket="guess"), NODE)
    assert lab.pauses[0] == 1.0
    assert lab.pauses[-1] == failure_delay_s(1000) == 8.0
    before = len(lab.pauses)
    await ready.exchange(ASKED, NODE)
    assert len(lab.pauses) == before


def test_failures_are_forgotten_and_take_little_memory() -> None:
    now = [0.0]
    failures = Failures(lambda: now[0])
    assert [failures.count("a") for _ in range(3)] == [1, 2, 3]
    now[0] = 900.0
    assert failures.count("a") == 1
    for number in range(5000):
        failures.count(f"2001:db8::{number}")
    assert failures.count("a") == 1


def test_every_order_has_a_ticket_of_its_own_which_is_not_kept() -> None:
    store = FakeJobTokenStore()
    tickets = Tickets(store, is_on=True)
    first, second = tickets(RUN), tickets(RUN)
    assert first != second
    assert len(first) >= 43
    assert is_ticket(first, store.digests(RUN.key))
    assert is_ticket(second, store.digests(RUN.key))
    assert not {first, second} & set(store.tickets)


def test_who_submits_by_hand_gets_none() -> None:
    store = FakeJobTokenStore()
    assert Tickets(store, True)(replace(RUN, state=RunState.PREPARED)) == ""
    assert store.tickets == {}


def test_a_ticket_is_none_of_no_run() -> None:
    assert not is_ticket(new_ticket(), ())


def test_each_task_of_an_array_has_its_own_job() -> None:
    task = replace(RUN, id=5, batch=4, task=3, job_id=80)
    job = job_of_run(name=task.job_name, array_id=80, task="3")
    assert is_job_of(job, task)
    assert not is_job_of(job, replace(task, task=2))
    assert not is_job_of(replace(job, array_id=81), task)


@pytest.mark.parametrize(
    ("starts_at", "limit", "longest", "lasts"),
    [
        (900, 3600, 10**6, 3500),
        (900, 3600, 60, 60),
        (None, None, 10**6, RUN.spec.lifetime_s),
        (0, 600, 10**6, 1),
        (2000, 600, 10**6, 600),
    ],
)
def test_a_token_lasts_no_longer_than_its_job_or_than_tokens_may(
    starts_at: int | None, limit: int | None, longest: int, lasts: int
) -> None:
    job = job_of_run(starts_at=starts_at, time_limit_s=limit)
    assert lifetime_s(job, RUN, 1000.0, longest) == lasts
