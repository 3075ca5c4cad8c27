"""Which state of a run may follow which: no news brings back what has ended."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from kqi_hub.domain.job import OVER_STATES, EndedJob, Job
from kqi_hub.domain.run_ports import Collected, NewRun, Told
from kqi_hub.domain.run_states import ENDED, ended_as, final_state, may_follow
from kqi_hub.domain.runs import LIVE, Run, RunKind, RunSpec, RunState
from tests.fakes.runs import FakeRunStore

SPEC = RunSpec("first", "vision", "cpu", "true")
RUN = Run(1, RunKind.TRAINING, "mia", "k", SPEC, RunState.RUNNING, 0.0, 0.0)
STATES = st.sampled_from(sorted(RunState))
JOBS = st.sampled_from([None, 70, 71])


def record(state: str, exit_code: int = 0, signal: int = 0) -> EndedJob:
    """Return what accounting says of a job."""
    return EndedJob(70, state, 1, 2, exit_code, signal)


def job(state: str, reason: str = "None") -> Job:
    """Return what the controller says of a job."""
    return Job(70, "training-1-k", "mia", "vision", "cpu", "normal", state, reason)


def test_live_and_ended_are_all_there_is() -> None:
    assert frozenset(RunState) == LIVE | ENDED
    assert not LIVE & ENDED


@pytest.mark.parametrize("old", sorted(ENDED))
@pytest.mark.parametrize("new", sorted(RunState))
def test_nothing_follows_an_end(old: RunState, new: RunState) -> None:
    assert not may_follow(old, new)


@pytest.mark.parametrize("old", sorted(LIVE))
def test_whatever_lives_may_end_and_nothing_becomes_a_wish_again(
    old: RunState,
) -> None:
    assert may_follow(old, RunState.KILLED)
    assert may_follow(old, RunState.COMPLETED)
    assert not may_follow(old, RunState.ASKED)
    assert not may_follow(old, RunState.PREPARED)
    assert not may_follow(old, old)


def test_only_a_wish_is_refused() -> None:
    refused = [one for one in RunState if may_follow(one, RunState.REFUSED)]
    assert refused == [RunState.ASKED]


def test_a_requeued_job_waits_again_but_not_after_its_end() -> None:
    assert may_follow(RunState.RUNNING, RunState.PENDING)
    assert not may_follow(RunState.COLLECTING, RunState.PENDING)
    assert not may_follow(RunState.COLLECTING, RunState.RUNNING)


NEWS = st.one_of(
    st.builds(Told, state=STATES, at=st.floats(1, 1e6), job_id=JOBS),
    st.builds(Collected, state=st.one_of(st.none(), STATES)),
    STATES.map(lambda state: ("stopping", state)),
    st.just("refused"),
)


@settings(max_examples=300, deadline=None)
@given(st.booleans(), st.lists(NEWS, max_size=12))
def test_whatever_is_told_in_any_order_the_history_is_one_that_can_be(
    is_prepared: bool, news: list[object]
) -> None:
    store = FakeRunStore()
    run = store.ask(
        NewRun(RunKind.TRAINING, "mia", "k", SPEC, is_prepared=is_prepared), 0.0
    )
    jobs, ends = [], []
    for one in news:
        tell(store, run.id, one)
        known = store.runs[run.id]
        jobs.append(known.job_id)
        if not known.is_live:
            ends.append(known)
    states = [event.state for event in store.events(run.id)]
    assert all(may_follow(*pair) for pair in pairwise(states))
    # The first job that is noted is the run's for ever, the first end its end.
    assert len({one for one in jobs if one is not None}) <= 1
    assert len({(one.state, one.ended_at, one.exit_code) for one in ends}) <= 1
    assert sum(state in ENDED for state in states) <= 1


def tell(store: FakeRunStore, number: int, news: object) -> None:
    """Let a store hear something."""
    if isinstance(news, Told):
        store.told(number, news)
    elif isinstance(news, Collected):
        store.collected(number, news, 1.0)
    elif isinstance(news, tuple):
        store.stopping(number, news[1], 1.0)
    else:
        store.refused(number, "Invalid qos", 1.0)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("COMPLETED", RunState.COMPLETED),
        ("FAILED", RunState.FAILED),
        ("TIMEOUT", RunState.TIMED_OUT),
        ("DEADLINE", RunState.TIMED_OUT),
        ("OUT_OF_MEMORY", RunState.OUT_OF_MEMORY),
        ("NODE_FAIL", RunState.NODE_FAILED),
        ("BOOT_FAIL", RunState.NODE_FAILED),
        ("CANCELLED", RunState.KILLED),
        ("CANCELLED by 1001", RunState.KILLED),
        ("PREEMPTED", RunState.KILLED),
        ("REVOKED", RunState.UNKNOWN),
        ("NEW_IN_SLURM_30", RunState.UNKNOWN),
        ("", RunState.UNKNOWN),
    ],
)
def test_slurms_word_becomes_a_state(word: str, state: RunState) -> None:
    assert ended_as(record(word), RUN)[0] is state
    assert ended_as(job(word), RUN)[0] is state


def test_every_end_of_slurm_becomes_an_end() -> None:
    assert {ended_as(job(word), RUN)[0] for word in OVER_STATES} <= ENDED


@pytest.mark.parametrize("called", [RunState.KILLED, RunState.USER_CANCELED])
def test_a_stop_is_called_as_the_person_chose(called: RunState) -> None:
    stopped = replace(RUN, stopping=called)
    assert ended_as(record("CANCELLED by 1001"), stopped) == (called, "")
    assert ended_as(job("CANCELLED"), stopped) == (called, "")


def test_what_ended_by_itself_while_it_was_stopped_keeps_its_end() -> None:
    stopped = replace(RUN, stopping=RunState.USER_CANCELED)
    assert ended_as(record("COMPLETED"), stopped)[0] is RunState.COMPLETED
    assert ended_as(record("TIMEOUT"), stopped)[0] is RunState.TIMED_OUT


def test_an_exit_code_outranks_a_word_that_says_all_is_well() -> None:
    assert ended_as(record("COMPLETED", exit_code=3), RUN)[0] is RunState.FAILED
    assert ended_as(record("COMPLETED", signal=9), RUN)[0] is RunState.FAILED


def test_slurms_word_is_kept_where_it_says_more() -> None:
    assert ended_as(job("FAILED", "JobLaunchFailure"), RUN)[1] == "JobLaunchFailure"
    assert ended_as(record("FAILED", signal=9), RUN)[1] == "RaisedSignal:9"
    assert ended_as(job("TIMEOUT"), RUN)[1] == ""


@given(st.one_of(st.none(), STATES), st.one_of(st.none(), STATES))
def test_what_is_collected_has_ended(
    found: RunState | None, outcome: RunState | None
) -> None:
    state = final_state(found, outcome)
    assert state in ENDED - {RunState.REFUSED}
    assert state in (found, outcome, RunState.UNKNOWN)
