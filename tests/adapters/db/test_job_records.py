"""Records of use: each run once, changes once, together with the book or not at all."""

import threading
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, Engine, func, select

from kqi_hub.db import schema
from kqi_hub.db.accounting_tables import JobRecordRow
from kqi_hub.db.engine import reading
from kqi_hub.db.job_records import RECORDS, SqlJobRecords
from kqi_hub.domain.accounting_ports import Progress, ReadRecord, Recorded, TakenIn
from kqi_hub.domain.job_records import JobRecord

ENDED = JobRecord(
    12, 1000, 77, "12", "train", "alice", "vision", "a100", "normal", "COMPLETED",
    "0:0", 1000, 1010, 4610, 0, 3600, 1, 8, 64000, "a100=2", "a100-01",
)  # fmt: skip
HOSTILE = [
    *("", "'; DROP TABLE job_records; --", "a\tb\nc\\N\\.", "\x1a0000", "\x01\x7f"),
    *("\u202e名前 \U0001f600", "\\", '"', "%s", "x" * 5000, "\\N", "{}", "NULL"),
]


def read(record: JobRecord = ENDED, hash_: int = 1, **changes: object) -> ReadRecord:
    values = record._asdict() | changes
    return ReadRecord(JobRecord(**values), hash_)


class Notes:
    """A Book that remembers what was posted, and can fail."""

    def __init__(self) -> None:
        self.posted: list[Recorded] = []
        self.fails = False

    def post(
        self, transaction: Connection, changed: Sequence[Recorded], now: float
    ) -> int:
        if self.fails:
            raise OSError("the book is on fire")
        # The rows are there already, inside of the transaction.
        ids = [one.id for one in changed]
        query = select(func.count()).where(RECORDS.c.id.in_(ids))
        assert transaction.scalar(query) == len(changed)
        self.posted += changed
        return len(changed)


@pytest.fixture
def book() -> Notes:
    return Notes()


@pytest.fixture
def records(engine: Engine, book: Notes) -> SqlJobRecords:
    schema.upgrade(engine)
    return SqlJobRecords(engine, "gpu1", book)


def test_a_new_record_is_kept_and_posted(records: SqlJobRecords, book: Notes) -> None:
    assert records.take_in([read()], 5000) == TakenIn(1, 1, 0, 1)
    (kept,) = records.runs_of(12)
    assert kept.record == ENDED
    assert book.posted == [Recorded(kept.id, ENDED, "other")]


def test_the_same_record_again_is_nothing(records: SqlJobRecords, book: Notes) -> None:
    records.take_in([read()], 5000)
    for now in (5300, 5600):
        assert records.take_in([read()], now) == TakenIn(1)
    assert len(book.posted) == 1


def test_a_record_twice_in_one_batch_is_one(
    records: SqlJobRecords, book: Notes
) -> None:
    assert records.take_in([read(), read()], 5000) == TakenIn(2, 1, 0, 1)
    assert len(book.posted) == 1


def test_a_changed_record_is_posted_with_what_it_was(
    records: SqlJobRecords, book: Notes
) -> None:
    records.take_in([read(ended_at=None, state="RUNNING")], 2000)
    (before,) = records.runs_of(12)
    assert records.take_in([read(hash_=2)], 5000) == TakenIn(1, 0, 1, 1)
    (after,) = records.runs_of(12)
    assert after.record == ENDED
    assert book.posted[-1] == Recorded(before.id, ENDED, "other", before)
    assert before.record.ended_at is None


def test_every_run_of_a_job_is_a_record_of_its_own(records: SqlJobRecords) -> None:
    runs = [read(submitted_at=moment, hash_=moment) for moment in (1000, 2000, 3000)]
    assert records.take_in(runs, 5000).new == 3
    assert records.take_in(runs[::-1], 5000) == TakenIn(3)
    assert [one.record.submitted_at for one in records.runs_of(12)] == [
        1000,
        2000,
        3000,
    ]


def test_what_the_book_refuses_is_not_kept(records: SqlJobRecords, book: Notes) -> None:
    records.take_in([read(hash_=1)], 5000)
    book.fails = True
    with pytest.raises(OSError, match="on fire"):
        records.take_in([read(hash_=2, state="FAILED"), read(job_id=13)], 5000)
    assert [one.record.state for one in records.runs_of(12)] == ["COMPLETED"]
    assert records.runs_of(13) == []
    book.fails = False
    again = records.take_in([read(hash_=2, state="FAILED"), read(job_id=13)], 5000)
    assert again == TakenIn(2, 1, 1, 2)


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_any_name_comes_back_as_it_was(records: SqlJobRecords, name: str) -> None:
    records.take_in([read(name=name)], 5000)
    assert [one.record.name for one in records.runs_of(12)] == [name]
    records.take_in([read(name=f"{name}!", hash_=2)], 5000)
    assert [one.record.name for one in records.runs_of(12)] == [f"{name}!"]


@pytest.mark.parametrize("hash_", [-(2**63), 2**63 - 1, 0])
def test_any_hash_can_be_kept(records: SqlJobRecords, hash_: int) -> None:
    records.take_in([read(hash_=hash_)], 5000)
    assert records.unknown([read(hash_=hash_)]) == []
    assert len(records.unknown([read(hash_=hash_ ^ 1)])) == 1


def test_another_cluster_has_records_of_its_own(
    records: SqlJobRecords, engine: Engine, book: Notes
) -> None:
    other = SqlJobRecords(engine, "gpu2", book)
    records.take_in([read()], 5000)
    assert other.runs_of(12) == []
    assert other.take_in([read()], 5000).new == 1
    assert other.progress() == Progress()


def test_the_name_says_what_a_job_is_for(
    records: SqlJobRecords, engine: Engine, book: Notes
) -> None:
    name = f"training-12-{'a' * 26}"
    records.take_in([read(name=name)], 5000)
    assert book.posted[0].kind == "training"
    with reading(engine) as connection:
        assert connection.execute(select(JobRecordRow.kind, JobRecordRow.thing)).all() \
            == [("training", 12)]  # fmt: skip


def test_suspended_days_come_back(records: SqlJobRecords) -> None:
    records.take_in([read(suspended_s=150, suspended="739577=120,739578=30")], 5000)
    (kept,) = records.runs_of(12)
    assert kept.record.suspended_days == {739577: 120, 739578: 30}


def test_progress_is_kept_field_by_field(records: SqlJobRecords) -> None:
    assert records.progress() == Progress()
    assert not records.progress().is_whole
    records.note(read_until=5000)
    records.note(fill_back_to=100, filled_back_to=4000)
    assert records.progress() == Progress(5000, 100, 4000, None)
    records.note(filled_back_to=100)
    assert records.progress().is_whole


def test_ended_runs_are_listed_in_pages(records: SqlJobRecords) -> None:
    batch = [read(job_id=n, ended_at=n * 10 if n % 3 else None) for n in range(1, 31)]
    records.take_in(batch, 5000)
    found: list[Recorded] = []
    while page := records.ended_since(100, found[-1].id if found else 0, 4):
        assert len(page) <= 4
        found += page
    assert [one.record.job_id for one in found] == [n for n in range(11, 31) if n % 3]


def test_two_at_once_keep_each_record_once(
    records: SqlJobRecords, engine: Engine, book: Notes
) -> None:
    batch = [read(job_id=n) for n in range(1, 2001)]
    took: list[TakenIn] = []

    def take() -> None:
        took.append(records.take_in(batch, 5000))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.new for one in took) == [0, 0, 0, 2000]
    assert len({one.id for one in book.posted}) == len(book.posted) == 2000
