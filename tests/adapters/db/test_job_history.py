"""Ended jobs of accounting beside those of the picture."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from kqi_hub.db.job_history import SqlJobHistory
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.cluster import Reading
from kqi_hub.domain.job import EndedJob, Job
from tests.adapters.db.test_snapshot_store import HOSTILE
from tests.fakes.queues import job

NOW = 1_800_000_000.0


def ended(job_id: int, **about: object) -> tuple[Job, EndedJob]:
    over = job(
        job_id, "mia", "cpu", "FAILED",
        **{"starts_at": int(NOW) - 90, "ends_at": int(NOW) - 60, **about},
    )  # fmt: skip
    return over, EndedJob(job_id, over.state, over.starts_at, over.ends_at or 0, 3, 9)


@pytest.fixture
def history(engine: Engine, store: SqlSnapshotStore) -> SqlJobHistory:
    return SqlJobHistory(engine, "gpu1")


def codes(engine: Engine) -> dict[int, tuple[int | None, int | None]]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT job_id, exit_code, signal FROM jobs"))
        return {row.job_id: (row.exit_code, row.signal) for row in rows}


def test_a_job_that_nobody_saw_is_listed_once(
    engine: Engine, store: SqlSnapshotStore, history: SqlJobHistory
) -> None:
    assert history.add_ended([ended(12)]) == 1
    assert history.add_ended([ended(12)]) == 0
    assert store.jobs("mia") == (ended(12)[0],)
    assert store.live_jobs() == ()
    assert codes(engine) == {12: (3, 9)}


def test_a_live_job_is_ended_by_the_picture_alone(
    engine: Engine, store: SqlSnapshotStore, history: SqlJobHistory
) -> None:
    running = job(12, "mia", "cpu", "RUNNING")
    store.save(Reading(NOW, (), (), (running,)), {})
    assert history.add_ended([ended(12)]) == 0
    assert store.live_jobs() == (running,)
    assert codes(engine) == {12: (None, None)}


def test_a_job_that_was_seen_to_end_gets_its_exit_code(
    engine: Engine, store: SqlSnapshotStore, history: SqlJobHistory
) -> None:
    over, end = ended(12)
    other = replace(over, job_id=13, ends_at=int(NOW) - 5)
    store.save(Reading(NOW, (), (), (over, other)), {})
    history.add_ended([(over, end), ended(13)])
    # Another end of the same number is another run.
    assert codes(engine) == {12: (3, 9), 13: (None, None)}
    assert store.exit_codes([12, 13, 14]) == {12: 3}


@pytest.mark.parametrize(
    ("code", "signal", "told"), [(0, 0, 0), (3, 0, 3), (0, 9, 137)]
)
def test_a_signal_is_told_as_a_shell_tells_it(
    store: SqlSnapshotStore, history: SqlJobHistory, code: int, signal: int, told: int
) -> None:
    over, end = ended(12)
    history.add_ended([(over, replace(end, exit_code=code, signal=signal))])
    assert store.exit_codes([12]) == {12: told}


def test_what_the_controller_still_lists_may_come_after(
    store: SqlSnapshotStore, history: SqlJobHistory
) -> None:
    store.save(Reading(NOW - 100, (), (), ()), {})
    history.add_ended([ended(12)])
    store.save(Reading(NOW, (), (), (ended(12)[0],)), {})
    assert store.jobs("mia") == (ended(12)[0],)


def test_it_goes_with_all_others_when_its_time_is_over(
    store: SqlSnapshotStore, history: SqlJobHistory
) -> None:
    history.add_ended([ended(12)])
    store.save(Reading(NOW + 2 * 86_400, (), (), ()), {})
    assert store.jobs("mia") == ()


def test_thousands_are_added(store: SqlSnapshotStore, history: SqlJobHistory) -> None:
    assert history.add_ended([ended(n) for n in range(1, 2001)]) == 2000
    assert history.add_ended([]) == 0
    assert len(store.jobs("mia", 5000)) == 2000


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_kept_whatever_is_in_them(
    store: SqlSnapshotStore, history: SqlJobHistory, name: str
) -> None:
    history.add_ended([ended(12, name=name)])
    [found] = store.jobs("mia")
    assert found.name == name
