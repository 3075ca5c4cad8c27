"""Runs that stand out are those of plain reckoning, whatever happened to the book."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text, update

from kqi_hub.db import schema, usage_top
from kqi_hub.db.engine import make_engine, reading, writing
from kqi_hub.db.job_records import RECORDS
from kqi_hub.db.ledger import LEDGER, PEAKS, SqlBook
from kqi_hub.db.ledger_proof import Prover
from kqi_hub.db.usage_top import SqlRunsAndTops
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.rate_cards import CardLine, RateCard
from kqi_hub.domain.usage import Narrowing, UsedRun
from kqi_hub.domain.usage_counts import FAILED_STATES, gpu_type_of
from kqi_hub.domain.usage_top import Top, TopAsked
from tests.adapters.db.ledger_lab import (
    AFTER,
    DAYS,
    a_store,
    as_read,
    make_ready,
    publish,
    records,
    rows,
)
from tests.adapters.db.test_usage_sums import earlier_book
from tests.fakes.book import NOON

DAY = 86_400
WHOSE = (
    Narrowing(),
    Narrowing(person="user1"),
    Narrowing(("vision",)),
    Narrowing(("vision", "speech"), person="user2"),
    Narrowing(queue="cpu"),
    Narrowing(queue="a100", gpu_type="a100"),
    Narrowing(gpu_type="-"),
    Narrowing(("speech",), kind="job", qos="normal"),
    Narrowing(person="'; DROP TABLE usage_peaks;--\n%"),
    Narrowing(()),
)
TIMES = (
    (NOON - 50 * DAY, NOON + 350 * DAY),
    (NOON, NOON + DAY),
    (NOON + 7_001, NOON + 61_003),
    (NOON + 30_000, NOON + 30_000),
)


def plain(engine: Engine, asked: TopAsked) -> list[tuple[int, int]]:
    """Return the numbers of runs with what they stand out by, by reading all runs."""
    summed = LEDGER.c.amount if asked.by is Top.COST else LEDGER.c.gpu_s
    query = select(LEDGER.c.record_id, func.sum(summed)).group_by(LEDGER.c.record_id)
    mine = select(RECORDS).where(RECORDS.c.cluster == "kqi")
    with reading(engine) as connection:
        sums: dict[int, int] = {key: int(one) for key, one in connection.execute(query)}
        known = connection.execute(mine).mappings().all()
    found = []
    for row in known:
        value = sums.get(row["id"], 0)
        if asked.by is Top.WAIT:
            could = row["eligible_at"]
            could = row["submitted_at"] if could is None else could
            value = 0 if row["started_at"] is None else row["started_at"] - could
        elif asked.by is Top.FAILED_GPU and row["state"] not in FAILED_STATES:
            value = 0
        ended = row["ended_at"]
        if ended is None or value <= 0 or not is_of(row, asked.whose):
            continue
        if asked.begins <= ended < asked.ends:
            found.append((value, ended, row["id"]))
    best = sorted(found, reverse=True)[: asked.limit]
    return [(number, value) for value, _, number in best]


def is_of(row: Any, whose: Narrowing) -> bool:
    gpu_type = "" if whose.gpu_type == "-" else whose.gpu_type
    return (
        (whose.tenants is None or row["account"] in whose.tenants)
        and whose.person in ("", row["user"])
        and whose.queue in ("", row["partition"])
        and whose.qos in ("", row["qos"])
        and whose.kind in ("", row["kind"])
        and (not whose.gpu_type or gpu_type == gpu_type_of(row["gpus"]))
    )


def check(engine: Engine, limits: tuple[int, ...] = (1, 7, 100)) -> None:
    """Compare every question with plain reckoning; some of them find something."""
    store, some = SqlRunsAndTops(engine, "kqi", DAYS), 0
    for by, whose, times, limit in product(Top, WHOSE, TIMES, limits):
        asked = TopAsked(whose, *times, by, limit)
        found = [(run.id, value_of(run, by)) for run in store.top(asked)]
        assert found == plain(engine, asked), asked
        some += bool(found)
    assert some > len(Top) * len(limits) * 10


def value_of(run: UsedRun, by: Top) -> int:
    waited = run.waited_s or 0
    return {Top.COST: run.amount, Top.FAILED_GPU: run.gpu_s, Top.WAIT: waited}[by]


def first_state(engine: Engine) -> None:
    """Post runs of people, queues and states, and those of another cluster."""
    gpus = {"partition": "a100", "gpus": "a100=2"}
    a_store(engine).take_in(as_read(records(60)), AFTER)
    a_store(engine).take_in(as_read(records(60, first=61, **gpus)), AFTER)
    # All alike: the latest come first.
    same = {"started_at": NOON + 50_000, "ended_at": NOON + 59_000}
    a_store(engine).take_in(as_read(records(12, first=121, **same)), AFTER)
    a_store(engine, "other").take_in(as_read(records(30)), AFTER)


def corrected(engine: Engine) -> None:
    """Make runs less: shorter, another's, without an end; and one of them end again."""
    store = a_store(engine)
    first_state(engine)
    store.take_in(as_read(records(9, user="moved", account="other")), AFTER + 1)
    shorter = [
        one._replace(ended_at=(one.started_at or 0) + 5) for one in records(40)[9:]
    ]
    store.take_in(as_read(shorter), AFTER + 2)
    gone = records(8, first=61, ended_at=None, state="RUNNING")
    store.take_in(as_read(gone), AFTER + 3)
    again = records(2, first=61, ended_at=NOON + 90_000, state="TIMEOUT")
    store.take_in(as_read(again), AFTER + 4)


def reposted(engine: Engine) -> None:
    """Give other rates, by which some cost less and others more."""
    corrected(engine)
    publish(engine, RateCard(2, NOON + 20_000, (CardLine("*", cpu=3 * MICRO),)))
    assert SqlBook(engine, "kqi", DAYS, lambda: AFTER).repost(NOON) > 0


def mended(engine: Engine) -> None:
    """Lose the peaks of some, and mend them."""
    reposted(engine)
    with writing(engine) as connection:
        low = PEAKS.c.user == "user1"
        connection.execute(update(PEAKS).where(low).values(amount=0, waited_s=1))
    wrong = Prover(engine, "kqi", DAYS).prove()
    assert {one.where.split()[0] for one in wrong.faults} == {"usage_peaks"}
    assert Prover(engine, "kqi", DAYS).prove(mend=True).wrong == wrong.wrong


@pytest.mark.slow
@pytest.mark.parametrize("happened", [first_state, corrected, reposted, mended])
@pytest.mark.parametrize("at_once", [1, 256])
def test_what_stands_out_is_what_reading_all_runs_finds(
    engine: Engine, happened: Any, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_top, "_MONTHS_ASKED", at_once)
    happened(make_ready(engine))
    check(engine)
    assert Prover(engine, "kqi", DAYS).prove().faults == ()


def test_mending_makes_high_peaks_what_they_are(engine: Engine) -> None:
    reposted(make_ready(engine))
    before = rows(engine, PEAKS)
    Prover(engine, "kqi", DAYS).prove(mend=True)
    after = rows(engine, PEAKS)
    assert after != before
    fresh = {row[:9]: row[9:] for row in after}
    for row in before:
        assert all(map(int.__ge__, row[9:], fresh.get(row[:9], (0, 0, 0))))


def test_posting_what_is_there_writes_no_peaks(engine: Engine) -> None:
    first_state(make_ready(engine))
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM usage_peaks"))
    SqlBook(engine, "kqi", DAYS, lambda: AFTER).repost(None)
    assert rows(engine, PEAKS) == []


@pytest.fixture
def upgraded(
    engine: Engine, request: pytest.FixtureRequest, tmp_path: Any
) -> Iterator[Engine]:
    """Return a book that was written before there were peaks, upgraded."""
    reposted(make_ready(engine))
    url = f"sqlite:///{tmp_path}/earlier.sqlite"
    if engine.dialect.name == "postgresql":
        url = request.getfixturevalue("postgresql_server").new_database()
    earlier = earlier_book(engine, make_engine(url, create=True), "0021")
    schema.upgrade(earlier)
    yield earlier
    earlier.dispose()


def test_an_earlier_book_gets_its_peaks(upgraded: Engine, engine: Engine) -> None:
    check(upgraded, (5,))
    Prover(engine, "kqi", DAYS).prove(mend=True)
    exact = {row[:9]: row[9:] for row in rows(engine, PEAKS) if row[0] == "kqi"}
    found = {row[:9]: row[9:] for row in rows(upgraded, PEAKS)}
    for key, peaks in exact.items():
        assert all(map(int.__ge__, found[key], peaks)), key
