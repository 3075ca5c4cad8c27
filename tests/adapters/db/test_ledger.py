"""The book in the database holds what the book in memory holds, on both databases."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select

from kqi_hub.db import ledger as ledger_module
from kqi_hub.db.accounting_tables import NodeShapeRow, PeriodRow
from kqi_hub.db.engine import make_engine, reading, writing
from kqi_hub.db.job_records import RECORDS
from kqi_hub.db.ledger import (
    BILLS,
    LEDGER,
    POSITIONS,
    USAGE_DAYS,
    USAGE_MONTHS,
    SqlBook,
    hold,
)
from kqi_hub.db.ledger_store import SqlLedger
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.posting import Line
from kqi_hub.domain.rate_cards import CardLine, RateCard
from kqi_hub.domain.site_days import period_of
from tests.adapters.db.ledger_lab import (
    AFTER,
    CARD,
    DAYS,
    a_store,
    as_read,
    in_memory,
    lines,
    make_ready,
    publish,
    records,
    rows,
)
from tests.fakes.book import NOON, a_record


@pytest.fixture
def ready(engine: Engine) -> Engine:
    return make_ready(engine)


def test_the_database_holds_what_memory_holds(ready: Engine) -> None:
    some = records(300)
    assert a_store(ready).take_in(as_read(some), AFTER).lines > 300
    book = in_memory(some)
    assert {line.kind for line in lines(ready)} == {"charge"}
    assert sorted(_without_kind(rows(ready, USAGE_DAYS))) == sorted(
        ("kqi", day, *whose[:5], *sums)
        for (day, whose), sums in book.kept_usage().items()
    )
    assert rows(ready, BILLS) == sorted(
        ("kqi", *key, *sums) for key, sums in book.bills.items()
    )
    assert _money(lines(ready)) == _money(book.lines)


def _without_kind(found: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [row[:7] + row[8:] for row in found]


def _money(found: Sequence[Line]) -> list[tuple[Any, ...]]:
    return sorted(
        (x.tenant, x.period, x.day, x.amount, x.version, x.seconds, x.per_hour or 0)
        for x in found
    )


def test_months_hold_the_sums_of_their_days(ready: Engine) -> None:
    a_store(ready).take_in(as_read(records(300)), AFTER)
    months: dict[tuple[Any, ...], list[int]] = {}
    for _, day, *rest in rows(ready, USAGE_DAYS):
        known = months.setdefault(("kqi", period_of(day), *rest[:6]), [0] * 13)
        known[:] = [a + b for a, b in zip(known, rest[6:], strict=True)]
    found = {row[:8]: list(row[8:]) for row in rows(ready, USAGE_MONTHS)}
    assert found == months
    assert len({key[1] for key in months}) > 1


def test_reading_again_adds_nothing(ready: Engine) -> None:
    store, some = a_store(ready), as_read(records(50))
    store.take_in(some, AFTER)
    before = [rows(ready, one) for one in (LEDGER, USAGE_DAYS, USAGE_MONTHS, BILLS)]
    assert store.take_in(some, AFTER + 9).lines == 0
    after = [rows(ready, one) for one in (LEDGER, USAGE_DAYS, USAGE_MONTHS, BILLS)]
    assert after == before


def test_changed_rows_leave_the_sums_of_what_they_are_now(ready: Engine) -> None:
    store = a_store(ready)
    was, now = records(60), records(60, account="other", state="FAILED", cpus=9)
    store.take_in(as_read(was), AFTER)
    store.take_in(as_read(now), AFTER)
    book = in_memory(now)
    kept = [row for row in rows(ready, USAGE_DAYS) if any(row[8:])]
    assert sorted(_without_kind(kept)) == sorted(
        ("kqi", day, *whose[:5], *sums)
        for (day, whose), sums in book.kept_usage().items()
    )
    totals = {row[1:3]: sum(row[3:]) for row in rows(ready, BILLS)}
    for (period, tenant), sums in book.bills.items():
        assert totals.pop((period, tenant)) == sum(sums)
    assert set(totals.values()) == {0}


def test_records_that_run_are_posted_when_they_end(ready: Engine) -> None:
    store = a_store(ready)
    store.take_in(as_read(records(20, ended_at=None, state="RUNNING")), AFTER)
    assert (lines(ready), rows(ready, USAGE_DAYS)) == ([], [])
    store.take_in(as_read(records(20)), AFTER)
    assert _money(lines(ready)) == _money(in_memory(records(20)).lines)
    assert {line.kind for line in lines(ready)} == {"charge"}


def test_an_end_that_was_taken_back_leaves_one_run_on_its_bill(ready: Engine) -> None:
    store, some = a_store(ready), records(20)
    store.take_in(as_read(some), AFTER)
    positions = rows(ready, POSITIONS)
    runs_again = [one._replace(ended_at=None, state="RUNNING") for one in some]
    store.take_in(as_read(runs_again), AFTER)
    assert {sum(row[3:]) for row in rows(ready, BILLS)} == {0}
    store.take_in(as_read(some), AFTER)
    assert rows(ready, POSITIONS) == positions
    assert SqlLedger(ready, "kqi", DAYS).prove().faults == ()


def test_a_closed_month_is_left_alone(ready: Engine) -> None:
    store = a_store(ready)
    store.take_in(as_read(records(5)), AFTER)
    closed = {"cluster": "kqi", "period": 202610, "closed_at": 1.0, "author": "root"}
    with writing(ready) as connection:
        connection.execute(insert(PeriodRow), closed | {"notes": "{}"})
    before = [line for line in lines(ready) if line.period == 202610]
    bill = [row for row in rows(ready, BILLS) if row[1] == 202610]
    assert before
    store.take_in(as_read(records(80, cpus=9, gpus="a100=1")), AFTER)
    assert [line for line in lines(ready) if line.period == 202610] == before
    assert [row for row in rows(ready, BILLS) if row[1] == 202610] == bill
    # Now is December: what belongs into October stands there.
    moved = [line for line in lines(ready) if line.period == 202612]
    assert {"charge", "correction"} == {line.kind for line in moved}
    assert all("use of 2026-10" in line.reason for line in moved)


def test_new_rates_are_posted_for_what_ended_since(ready: Engine) -> None:
    some = records(40)
    a_store(ready).take_in(as_read(some), AFTER)
    publish(
        ready, replace(CARD, version=2, from_at=NOON, lines=(CardLine("*", cpu=7),))
    )
    book = SqlBook(ready, "kqi", DAYS, lambda: AFTER)
    assert book.repost(NOON) > 0
    assert book.repost(NOON) == 0
    assert _sum_by_version(ready).keys() == {1, 2}
    assert _sum_by_version(ready)[1] == 0
    assert _sum_by_version(ready)[2] > 0
    (seconds,) = {sum(row[9] for row in rows(ready, USAGE_DAYS))}
    used = [(one.ended_at or 0) - (one.started_at or 0) for one in some]
    assert seconds == sum(used)


def _sum_by_version(engine: Engine) -> dict[int, int]:
    query = select(LEDGER.c.version, func.sum(LEDGER.c.amount))
    with reading(engine) as connection:
        found = connection.execute(query.group_by(LEDGER.c.version))
        return {version: int(total) for version, total in found}


def test_whole_nodes_are_billed_as_they_are_kept(ready: Engine) -> None:
    line = CardLine("a100", gpu=MICRO, whole_node=True)
    publish(ready, RateCard(2, NOON, (line,)))
    shape = {"cluster": "kqi", "node": "n1", "from_at": 5, "cpus": 1, "memory_mb": 1}
    with writing(ready) as connection:
        connection.execute(insert(NodeShapeRow), shape | {"gpus": "a100=8"})
    a_store(ready).take_in(as_read([a_record()]), AFTER)
    assert [line.amount for line in lines(ready)] == [8 * MICRO]


def test_clusters_have_books_of_their_own(ready: Engine) -> None:
    a_store(ready).take_in(as_read(records(3)), AFTER)
    other = a_store(ready, "other")
    other.take_in(as_read(records(3)), AFTER)
    found = {(row[0], sum(row[3:])) for row in rows(ready, BILLS)}
    assert ("other", 0) in found
    assert {name for name, _ in found} == {"kqi", "other"}


def test_two_that_post_at_once_post_each_run_once(ready: Engine) -> None:
    some = as_read(records(400))
    url = ready.url.render_as_string(hide_password=False)

    def read_all(turn: int) -> int:
        engine = make_engine(url)
        try:
            store = a_store(engine)
            parts = [some[i : i + 40] for i in range(0, len(some), 40)]
            return sum(
                store.take_in(part, AFTER).lines
                for part in (parts if turn else parts[::-1])
            )
        finally:
            engine.dispose()

    with ThreadPoolExecutor(2) as pool:
        added = sum(pool.map(read_all, range(2)))
    book = in_memory([one.record for one in some])
    assert added == len(book.lines)
    assert _money(lines(ready)) == _money(book.lines)
    assert sum(row[8] for row in rows(ready, USAGE_DAYS)) == sum(
        line.amount for line in book.lines
    )


KILLED = """
import os, signal, sys
from kqi_hub.db import ledger
from kqi_hub.db.engine import make_engine
from tests.adapters.db import ledger_lab as lab

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(ledger, sys.argv[2], die)
engine = make_engine(sys.argv[1])
lab.a_store(engine).take_in(lab.as_read(lab.records(60, 1)), lab.AFTER)
"""


@pytest.mark.parametrize("step", ["insert_many", "add_to_sums", "Posting"])
def test_killed_in_the_middle_nothing_is_half_there(ready: Engine, step: str) -> None:
    url = ready.url.render_as_string(hide_password=False)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, url, step],
        check=False,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    tables = (RECORDS, LEDGER, USAGE_DAYS, USAGE_MONTHS, BILLS)
    assert [rows(ready, table) for table in tables] == [[]] * 5
    a_store(ready).take_in(as_read(records(60)), AFTER)
    assert _money(lines(ready)) == _money(in_memory(records(60)).lines)


def test_bites_of_any_size_post_everything_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_ready(engine)
    a_store(engine).take_in(as_read(records(40)), AFTER)
    before = sum(line.amount for line in lines(engine))
    publish(engine, replace(CARD, version=2, from_at=1, lines=(CardLine("*", cpu=20),)))
    monkeypatch.setattr(ledger_module, "_STEP", 7)
    monkeypatch.setattr(ledger_module, "_ADDING_S", 0.0)
    book = SqlBook(engine, "kqi", DAYS, lambda: AFTER)
    assert book.repost(1) > 0
    assert book.repost(1) == 0
    assert sum(line.amount for line in lines(engine)) != before


def test_others_can_write_between_two_bites_of_posting_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_ready(engine)
    a_store(engine).take_in(as_read(records(40)), AFTER)
    publish(engine, replace(CARD, version=2, from_at=1, lines=(CardLine("*", cpu=20),)))
    added: list[int] = []

    def write_instead_of_sleeping(_: float) -> None:
        # Of one that waits for its own process to go on, the test would never end.
        with writing(engine) as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
            hold(connection, "kqi")
            added.append(len(connection.execute(select(LEDGER.c.id)).all()))

    monkeypatch.setattr(ledger_module, "_STEP", 7)
    monkeypatch.setattr(ledger_module, "_ADDING_S", 0.0)
    # Only here: SQLite's own waiting sleeps, too.
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=write_instead_of_sleeping)
    monkeypatch.setattr(ledger_module, "time", clock)
    SqlBook(engine, "kqi", DAYS, lambda: AFTER).repost(1)
    # Each bite is committed before the next one begins.
    assert len(added) == 6
    assert added == sorted(set(added))


def test_posting_again_that_is_broken_off_is_finished_by_the_next(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_ready(engine)
    a_store(engine).take_in(as_read(records(40)), AFTER)
    publish(engine, replace(CARD, version=2, from_at=1, lines=(CardLine("*", cpu=20),)))
    book = SqlBook(engine, "kqi", DAYS, lambda: AFTER)
    pauses = iter(range(2))

    def die_at_the_third_pause(_: float) -> None:
        next(pauses)

    monkeypatch.setattr(ledger_module, "_STEP", 7)
    monkeypatch.setattr(ledger_module, "_ADDING_S", 0.0)
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=die_at_the_third_pause)
    with monkeypatch.context() as dying, pytest.raises(StopIteration):
        dying.setattr(ledger_module, "time", clock)
        book.repost(1)
    broken_off = SqlLedger(engine, "kqi", DAYS).prove()
    assert broken_off.wrong > 0
    assert book.repost(1) > 0
    assert book.repost(1) == 0
    assert SqlLedger(engine, "kqi", DAYS).prove().faults == ()
