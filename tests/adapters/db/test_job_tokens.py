"""Tickets and tokens of running jobs, on SQLite and PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, inspect, text

from kqi_hub.db import schema
from kqi_hub.db.job_tokens import SqlJobTokens
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.domain.job_tokens import Holder, LeftToken, digest_of
from kqi_hub.domain.run_ports import Collected, NewRun, Told
from kqi_hub.domain.runs import Run, RunKind, RunSpec, RunState

NOW = 1_795_000_000.0
SPEC = RunSpec("first", "vision", "cpu", "kqi whoami")


@pytest.fixture
def ready(engine: Engine) -> Engine:
    schema.upgrade(engine)
    return engine


@pytest.fixture
def tokens(ready: Engine) -> SqlJobTokens:
    return SqlJobTokens(ready)


def running(ready: Engine, key: str = "k" * 26, owner: str = "mia") -> Run:
    runs = SqlRunStore(ready)
    run = runs.ask(NewRun(RunKind.TRAINING, owner, key, SPEC), NOW)
    told = Told(RunState.RUNNING, NOW + 1, job_id=90, node="n1", began_at=NOW)
    return runs.told(run.id, told)


def end(ready: Engine, run: Run) -> None:
    told = Told(
        RunState.COLLECTING, NOW + 9, ended_at=NOW + 8, outcome=RunState.COMPLETED
    )
    SqlRunStore(ready).told(run.id, told)


def test_only_a_digest_of_a_ticket_is_kept_and_each_order_keeps_its_own(
    ready: Engine, tokens: SqlJobTokens
) -> None:
    for ticket in ("first", "second"):
        tokens.keep_ticket("k", digest_of(ticket), NOW)
    tokens.keep_ticket("other", digest_of("third"), NOW)
    assert set(tokens.digests("k")) == {digest_of("first"), digest_of("second")}
    assert tokens.digests("' OR 1=1 --") == ()
    with ready.connect() as connection:
        kept = repr(connection.execute(text("SELECT * FROM run_tickets")).all())
    assert "first" not in kept
    columns = {one["name"] for one in inspect(ready).get_columns("run_tokens")}
    assert columns == {"run", "owner", "claimed_at", "token_id", "expires_at"}


def test_many_at_once_get_one_token(ready: Engine, tokens: SqlJobTokens) -> None:
    run = running(ready)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: tokens.claim(run, NOW), range(16)))
    assert claims.count(True) == 1


def test_a_claim_that_came_to_nothing_is_given_back_and_a_token_is_not(
    ready: Engine, tokens: SqlJobTokens
) -> None:
    run = running(ready)
    assert tokens.claim(run, NOW)
    tokens.give_back(run.id)
    assert tokens.claim(run, NOW)
    tokens.made(run.id, "a7", NOW + 60)
    tokens.give_back(run.id)
    assert not tokens.claim(run, NOW)
    assert tokens.holder("a7") == Holder(run.id, "mia", "vision")


def test_a_token_has_no_holder_once_its_run_has_ended(
    ready: Engine, tokens: SqlJobTokens
) -> None:
    run, other = running(ready), running(ready, "j" * 26, "max")
    for number, one in (("a1", run), ("a2", other)):
        assert tokens.claim(one, NOW)
        tokens.made(one.id, number, NOW + 60)
    assert tokens.left(10) == ()
    end(ready, run)
    assert tokens.holder("a1") is None
    assert tokens.holder("a2") == Holder(other.id, "max", "vision")
    assert tokens.left(10) == (LeftToken(run.id, "mia", "a1"),)
    tokens.forget([run.id])
    assert tokens.left(10) == ()
    # Not even for its own ticket once more.
    assert not tokens.claim(run, NOW)


def test_a_token_whose_run_was_deleted_is_still_taken_back(
    ready: Engine, tokens: SqlJobTokens
) -> None:
    run, runs = running(ready), SqlRunStore(ready)
    assert tokens.claim(run, NOW)
    tokens.made(run.id, "a1", NOW + 60)
    end(ready, run)
    runs.collected(run.id, Collected(RunState.COMPLETED), NOW + 10)
    runs.delete(run.id, NOW)
    assert tokens.holder("a1") is None
    assert tokens.left(10) == (LeftToken(run.id, "mia", "a1"),)


def test_a_claim_whose_maker_died_is_left_without_a_number(
    ready: Engine, tokens: SqlJobTokens
) -> None:
    run = running(ready)
    assert tokens.claim(run, NOW)
    end(ready, run)
    assert tokens.left(10) == (LeftToken(run.id, "mia", None),)


@pytest.mark.parametrize("number", ["", "a0", "a1' --", "\U0001f600"])
def test_what_is_no_token_of_a_job_has_no_holder(
    tokens: SqlJobTokens, number: str
) -> None:
    assert tokens.holder(number) is None


def test_tickets_go_with_their_runs_and_those_of_live_ones_stay(
    ready: Engine, tokens: SqlJobTokens
) -> None:
    run, other = running(ready), running(ready, "j" * 26)
    tokens.keep_ticket(run.key, digest_of("1"), NOW)
    tokens.keep_ticket(other.key, digest_of("2"), NOW)
    tokens.keep_ticket("l" * 26, digest_of("new"), NOW + 100)
    end(ready, run)
    tokens.tidy_tickets(NOW + 50)
    assert tokens.digests(run.key) == ()
    assert tokens.digests(other.key) == (digest_of("2"),)
    assert tokens.digests("l" * 26) == (digest_of("new"),)
