"""What a tenant has spent does not drop between a job's end and the next reading."""

import time
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from kqi_hub.bootstrap.budgets import open_budgets
from kqi_hub.bootstrap.intake import open_records
from kqi_hub.bootstrap.rates import open_pricing
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.accounting_ports import ReadRecord
from kqi_hub.domain.imagined import record_of_job
from kqi_hub.domain.job import Job
from kqi_hub.settings.model import Settings
from tests.fakes.queues import job, reading

TABLES = {
    "cluster": {"name": "gpu1"},
    "rate": [{"queue": "cpu", "per_cpu": "1.234567"}],
}
LASTED_S = 600


@pytest.fixture
def now() -> float:
    # Not in the first minutes of a month, of which half would be another bill.
    return time.mktime((2026, 11, 18, 12, 0, 0, 0, 0, 0))


def ended_at(now: float, **about: object) -> Job:
    """Return a job of ten minutes that has just ended."""
    over = int(now) - 30
    plain = job(7001, "mia", "cpu", "COMPLETED", node_list="cpu01")
    times = {"submitted_at": over - LASTED_S, "starts_at": over - LASTED_S}
    return replace(plain, **{**times, "ends_at": over, **about})  # type: ignore[arg-type]  # by name


def seen(engine: Engine, now: float, *jobs: Job) -> None:
    picture = replace(reading(now), jobs=jobs)
    SqlSnapshotStore(engine, "gpu1").save(picture, {})


def money(settings: Settings, engine: Engine, now: float) -> tuple[int, int]:
    """Return what vision has on its bill, and what is in no bill yet."""
    budgets = replace(open_budgets(settings, engine), wall=lambda: now)
    found = budgets.read(budgets.period).get("vision")
    return (0, 0) if found is None else (found.spent, found.running)


def priced(settings: Settings, engine: Engine) -> None:
    _, watch = open_pricing(settings, engine)
    watch.renew()


def test_an_ended_job_counts_until_the_book_has_it_and_then_once(
    settings: Settings, engine: Engine, now: float
) -> None:
    over = ended_at(now)
    alive = replace(over, state="RUNNING", ends_at=None)
    seen(engine, now - 30, alive)
    priced(settings, engine)
    _, cost = money(settings, engine, now - 30)
    assert cost == round(1_234_567 * LASTED_S / 3600)
    seen(engine, now, over)
    assert money(settings, engine, now) == (0, cost)
    book = open_records(settings, engine)
    book.take_in([ReadRecord(record_of_job(over, now), 1)], now)
    assert money(settings, engine, now) == (cost, 0)


def test_a_run_of_the_same_job_that_was_booked_is_another_one(
    settings: Settings, engine: Engine, now: float
) -> None:
    over = ended_at(now)
    first = ended_at(now, starts_at=int(now) - 5000, ends_at=int(now) - 4000)
    seen(engine, now, over)
    priced(settings, engine)
    _, cost = money(settings, engine, now)
    book = open_records(settings, engine)
    requeued = record_of_job(first, now)._replace(state="REQUEUED")
    book.take_in([ReadRecord(requeued, 1)], now)
    spent, running = money(settings, engine, now)
    assert (running, spent > 0) == (cost, True)


def test_a_job_that_accounting_never_tells_of_counts_for_two_hours(
    settings: Settings, engine: Engine, now: float
) -> None:
    seen(engine, now, ended_at(now))
    priced(settings, engine)
    book = open_records(settings, engine)
    book.note(read_until=int(now) + 7000)
    assert money(settings, engine, now + 7000)[1] > 0
    book.note(read_until=int(now) + 7300)
    assert money(settings, engine, now + 7300) == (0, 0)


def test_a_job_that_never_began_costs_nothing(
    settings: Settings, engine: Engine, now: float
) -> None:
    seen(engine, now, ended_at(now, state="CANCELLED", starts_at=None))
    priced(settings, engine)
    assert money(settings, engine, now) == (0, 0)
