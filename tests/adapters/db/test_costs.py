"""What accounting and the book have of jobs, asked of both databases."""

import pytest
from sqlalchemy import Engine, event

from kqi_hub.db.costs import SqlBooks
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.costs import Booked, Cost, JobMark
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.queues import Scene
from kqi_hub.domain.rate_cards import Tariff
from kqi_hub.services.costs import Costs, Ours
from kqi_hub.services.pricing import Pricing
from tests.adapters.db.ledger_lab import (
    AFTER,
    CARD,
    DAYS,
    a_store,
    as_read,
    make_ready,
)
from tests.fakes.book import NOON, a_record
from tests.fakes.costs import FakeBooks
from tests.fakes.queues import reading

HOUR = 3600
KEY = "a" * 26
TRAINING = JobMark(f"training-12-{KEY}", "70", "alice")
TASK = JobMark(f"preprocessings-12-{KEY}", "80_3", "alice")
NOTEBOOK = JobMark(f"nb-12-{KEY}", "90", "bob")
HOSTILE = JobMark("training-12-'; DROP TABLE ledger; --", "7\n0", "%")


def of_mark(mark: JobMark, job_id: int, **changes: object) -> JobRecord:
    """Return an hour of a job of ours."""
    name, shown, user = mark
    return a_record(job_id=job_id, name=name, shown_id=shown, user=user, **changes)


RECORDS = (
    of_mark(TRAINING, 70, submitted_at=NOON - 9000, started_at=NOON - 8000,
            ended_at=NOON - 100, state="REQUEUED"),
    of_mark(TRAINING, 70, submitted_at=NOON - 60, ended_at=NOON + 40 * HOUR),
    of_mark(TASK, 83, ended_at=NOON + 61),
    of_mark(TASK._replace(shown_id="80_4"), 84),
    of_mark(NOTEBOOK, 90, ended_at=None, state="RUNNING"),
    # Somebody else gave a job of theirs the name of ours.
    of_mark(TRAINING._replace(user="eve"), 71, cpus=999),
    of_mark(TRAINING._replace(user="eve"), 70, submitted_at=NOON + 9, cpus=999),
    a_record(job_id=72, submitted_at=NOON),
)  # fmt: skip


@pytest.fixture
def ready(engine: Engine) -> Engine:
    make_ready(engine)
    a_store(engine).take_in(as_read(list(RECORDS)), AFTER)
    return engine


@pytest.fixture
def books(ready: Engine) -> SqlBooks:
    return SqlBooks(ready, "kqi")


def in_memory() -> FakeBooks:
    fake = FakeBooks(Tariff([CARD]))
    fake.take_in(*RECORDS)
    return fake


def amounts(found: Booked) -> dict[JobMark, list[tuple[int, Cost | None]]]:
    """Return what each costs, run by run."""
    return {
        mark: [(run.record.submitted_at, run.cost) for run in runs]
        for mark, runs in found.runs.items()
    }


def test_the_book_says_the_same_here_as_in_memory(books: SqlBooks) -> None:
    marks = {TRAINING, TASK, NOTEBOOK, HOSTILE}
    found = books.of_marks(marks)
    known = in_memory().of_marks(marks)
    assert amounts(found) == amounts(known)
    assert set(found.runs) == {TRAINING, TASK, NOTEBOOK}
    assert [run.record for run in found.runs[TRAINING]] == list(RECORDS[:2])
    first, second = (run.cost for run in found.runs[TRAINING])
    assert first is not None
    assert second is not None
    assert (first.amount or 0) > 0
    assert (second.amount or 0) > (first.amount or 0)


def test_jobs_are_found_by_their_numbers_whoever_they_are_of(books: SqlBooks) -> None:
    found = books.of_numbers([70, 72, 90, 12345])
    known = in_memory().of_numbers([70, 72, 90, 12345])
    assert {
        number: [(run.record, run.cost) for run in runs]
        for number, runs in found.items()
    } == {
        number: [(run.record, run.cost) for run in runs]
        for number, runs in known.items()
    }
    assert books.of_numbers([]) == {}


def test_it_is_known_how_far_accounting_was_read(
    books: SqlBooks, ready: Engine
) -> None:
    assert books.of_marks([TASK]).read_until is None
    a_store(ready).note(read_until=AFTER)
    assert books.of_marks([TASK]).read_until == AFTER


def test_another_cluster_has_other_jobs(ready: Engine) -> None:
    other = SqlBooks(ready, "other")
    assert other.of_marks([TRAINING]) == Booked()
    assert other.of_numbers([70]) == {}
    assert other.jobs([101]) == {}


def test_jobs_of_the_picture_are_found_by_number(
    books: SqlBooks, ready: Engine
) -> None:
    SqlSnapshotStore(ready, "kqi").save(reading(AFTER), {})
    assert sorted(books.jobs([101, 103, 5])) == [101, 103]


def test_a_page_of_rows_is_asked_for_at_once(books: SqlBooks, ready: Engine) -> None:
    costs = Costs(Pricing([CARD], days=DAYS), books)
    rows = [Ours(mark, 70, None, None, NOON + 40.0 * HOUR) for mark in (TRAINING, TASK)]
    asked: list[str] = []

    def note(*about: object) -> None:
        asked.append(str(about[2]))

    event.listen(ready, "before_cursor_execute", note)
    for many in (rows, rows * 100):
        asked.clear()
        costs.of_ours(many, Scene(), AFTER)
        # The runs, and how far accounting was read.
        assert len([one for one in asked if one.startswith("SELECT")]) == 2


def test_a_correction_is_in_the_sum(books: SqlBooks, ready: Engine) -> None:
    before = books.of_marks([TASK]).runs[TASK][0].cost
    changed = RECORDS[2]._replace(ended_at=NOON + 2 * HOUR)
    a_store(ready).take_in(as_read([changed]), AFTER + 9)
    [run] = books.of_marks([TASK]).runs[TASK]
    fresh = FakeBooks(Tariff([CARD]))
    fresh.take_in(changed)
    assert run.cost == fresh.of_marks([TASK]).runs[TASK][0].cost
    assert run.cost != before
