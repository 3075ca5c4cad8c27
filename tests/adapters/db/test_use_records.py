"""What is compared with Slurm, and the limits that were written, on both databases."""

import pytest
from sqlalchemy import Engine, insert, select

from kqi_hub.db import schema
from kqi_hub.db.accounting_tables import IntakeRow, JobRecordRow, UsageDayRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.use_records import SqlRecordedUse
from kqi_hub.db.written_limits import SqlWrittenLimits
from kqi_hub.domain.reconciliation import (
    AccountUse,
    Cause,
    Difference,
    Reconciliation,
    Use,
)
from kqi_hub.domain.slurm_limits import LimitKey
from tests.fakes.book import a_record

USE = Use(1, 2, 3 * 10**12, 4, 5)
FOUND = Reconciliation(
    3600,
    7200,
    7300.5,
    (AccountUse("vision", USE, Use()), AccountUse("nlp", Use(), USE, USE)),
    {Cause.GONE: USE},
    {Cause.GONE: 7},
    (Difference(Cause.GONE, "vision", 12, 3601, 739_577, USE),),
    Use(cpu_s=-1),
)


@pytest.fixture
def kept(engine: Engine) -> SqlRecordedUse:
    schema.upgrade(engine)
    return SqlRecordedUse(engine, "gpu1")


def test_what_was_found_is_read_as_it_was_kept(kept: SqlRecordedUse) -> None:
    assert kept.kept() is None
    kept.keep(FOUND)
    assert kept.kept() == FOUND
    later = Reconciliation(0, 1, 9000.0)
    kept.keep(later)
    assert kept.kept() == later


def test_keeping_it_leaves_alone_how_far_accounting_is_read(
    kept: SqlRecordedUse, engine: Engine
) -> None:
    with writing(engine) as connection:
        connection.execute(
            insert(IntakeRow), {"cluster": "gpu1", "read_until": 5, "filled_back_to": 1}
        )
    kept.keep(FOUND)
    assert (kept.read_until(), kept.filled_back_to()) == (5, 1)
    with reading(engine) as connection:
        assert connection.execute(select(IntakeRow.reconciled_at)).scalar() == 7300.5


def test_runs_of_a_time_are_those_that_existed_in_it(
    kept: SqlRecordedUse, engine: Engine
) -> None:
    times = {1: (50, 100), 2: (50, 101), 3: (199, None), 4: (200, 300), 5: (None, 150)}
    rows = [
        {
            **a_record()._asdict(),
            "cluster": cluster,
            "job_id": number,
            "started_at": began,
            "ended_at": ended,
            "kind": "other",
            "hash": 1,
            "first_seen": 1.0,
            "changed_at": 1.0,
        }
        for cluster in ("gpu1", "gpu2")
        for number, (began, ended) in times.items()
    ]
    with writing(engine) as connection:
        connection.execute(insert(JobRecordRow), rows)
    assert sorted(one.job_id for one in kept.records(100, 200)) == [2, 3]


def test_the_book_of_a_day_is_added_up_by_tenant(
    kept: SqlRecordedUse, engine: Engine
) -> None:
    none = dict.fromkeys(
        (c.name for c in UsageDayRow.__table__.columns if not c.primary_key), 0
    )
    place = {"user": "mia", "queue": "q", "qos": "", "gpu_type": "", "kind": "other"}
    rows = [
        {
            **none,
            **place,
            "cluster": "gpu1",
            "day": day,
            "tenant": tenant,
            "queue": name,
        }
        | {"seconds": 1, "cpu_s": 2, "memory_mb_s": 2**40, "gpu_s": 3, "node_s": 4}
        for day, tenant, name in (
            (7, "a", "p"),
            (7, "a", "q"),
            (7, "b", "p"),
            (8, "a", "p"),
        )
    ]
    with writing(engine) as connection:
        connection.execute(insert(UsageDayRow), rows)
    one = Use(1, 2, 2**40, 3, 4)
    assert kept.booked(7) == {"a": one.plus(one), "b": one}


def test_limits_that_were_written_are_known_until_they_are_lifted(
    engine: Engine,
) -> None:
    schema.upgrade(engine)
    written, others = (SqlWrittenLimits(engine, name) for name in ("gpu1", "gpu2"))
    cpu, billing = LimitKey("vision", "cpu"), LimitKey("vision", "billing")
    written.note(cpu, 200, 1.0)
    written.note(billing, 2**60, 1.0)
    written.note(cpu, 100, 2.0)
    assert written.written() == {cpu: 100, billing: 2**60}
    assert not others.written()
    written.note(cpu, None, 3.0)
    written.note(LimitKey("nlp", "cpu"), None, 3.0)
    assert written.written() == {billing: 2**60}
