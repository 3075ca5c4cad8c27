"""What a new reading changes in the stored picture, decided without a database."""

from dataclasses import replace

import pytest

from kqi_hub.db.snapshot_changes import Changes, Stored, compare, lost_ids
from kqi_hub.domain.cluster import Reading
from kqi_hub.domain.job import EndedJob, Job

NOW = 1_800_000_000.0
LONG_AGO = NOW - 24 * 3600


def job(job_id: int, state: str = "RUNNING", ends_at: int | None = None) -> Job:
    return Job(job_id, "train", "alice", "vision", "v100", "normal", state, "None",
               ends_at=ends_at)  # fmt: skip


def stored(*jobs: Job, gone: tuple[int, ...] = ()) -> Stored:
    return Stored(7, (), (), {one.job_id: one for one in jobs}, frozenset(gone))


def look(before: Stored, *jobs: Job, ended: tuple[EndedJob, ...] = ()) -> Changes:
    ends = {end.job_id: end for end in ended}
    return compare(before, Reading(NOW, (), (), jobs), ends, LONG_AGO)


def end_of(job_id: int) -> EndedJob:
    return EndedJob(job_id, "FAILED", int(NOW) - 100, int(NOW) - 50, 3, 0)


def test_an_equal_reading_changes_nothing_but_the_sequence() -> None:
    changes = look(stored(job(1), job(2)), job(1), job(2))
    assert (changes.jobs, changes.gone, changes.ended) == ((), (), ())
    assert changes.after.sequence == 8


def test_new_and_changed_jobs_are_written() -> None:
    changes = look(stored(job(1), job(2)), job(1), job(2, "COMPLETING"), job(3))
    assert [one.job_id for one in changes.jobs] == [2, 3]


def test_a_live_job_that_is_missing_stays_and_is_marked_once() -> None:
    first = look(stored(job(1)))
    assert (first.jobs, first.gone) == ((), (1,))
    assert first.after.jobs == {1: job(1)}
    second = look(first.after)
    assert (second.jobs, second.gone) == ((), ())
    assert second.after.gone == {1}


def test_a_missing_job_that_comes_back_is_written_though_it_is_the_same() -> None:
    changes = look(stored(job(1), gone=(1,)), job(1))
    assert changes.jobs == (job(1),)
    assert changes.after.gone == frozenset()


def test_a_missing_job_that_accounting_saw_end_has_ended() -> None:
    changes = look(stored(job(1), job(2)), job(2), ended=(end_of(1),))
    ((ended, end),) = changes.ended
    assert (ended.state, ended.ends_at, end.exit_code) == ("FAILED", int(NOW) - 50, 3)
    assert ended.name == "train"
    assert changes.gone == ()
    assert changes.after.jobs.keys() == {2}


def test_the_controller_is_right_about_a_job_that_it_lists() -> None:
    changes = look(stored(job(1)), job(1), ended=(end_of(1),))
    assert (changes.jobs, changes.ended) == ((), ())


def test_an_end_of_a_job_that_we_do_not_know_is_no_matter() -> None:
    assert look(stored(), ended=(end_of(9),)).ended == ()


def test_an_ended_job_that_the_controller_forgets_is_forgotten_here() -> None:
    over = job(1, "COMPLETED", int(NOW) - 10)
    changes = look(stored(over))
    assert (changes.gone, changes.ended, changes.after.jobs) == ((), (), {})


@pytest.mark.parametrize("state", ["COMPLETED", "CANCELLED", "NODE_FAIL"])
def test_a_job_that_ended_long_ago_is_not_stored_anew(state: str) -> None:
    old = job(1, state, int(LONG_AGO) - 1)
    changes = look(stored(), old)
    assert (changes.jobs, changes.after.jobs) == ((), {})


def test_a_live_job_that_ended_long_ago_while_nobody_looked_is_written() -> None:
    old = job(1, "COMPLETED", int(LONG_AGO) - 1)
    assert look(stored(job(1)), old).jobs == (old,)


def test_a_running_job_past_its_expected_end_is_kept() -> None:
    late = job(1, "COMPLETING", int(LONG_AGO) - 1)
    assert look(stored(), late).jobs == (late,)


def test_deleted_jobs_leave_the_memory() -> None:
    before = stored(job(1), job(2))
    assert before.without([2]).jobs.keys() == {1}
    assert before.without(()) is before


def test_lost_jobs_are_the_live_ones_that_the_reading_lacks() -> None:
    reading = Reading(NOW, (), (), (job(2), replace(job(4), state="COMPLETED")))
    assert lost_ids([9, 4, 2, 1], reading) == (1, 9)
