"""What every SnapshotStore does: the database's, on both databases, and the fake."""

from dataclasses import replace

import pytest

from kqi_hub.domain.cluster import Freshness, GpuCount, Node, Partition, Reading
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.ports import SnapshotStore
from tests.fakes.snapshot_store import FakeSnapshotStore

NOW = 1_800_000_000.25
NODES = (
    Node("v100-02", "mixed", ("DRAIN",), ("v100", "all"), 64, 8, 256_000, 1_000,
         (GpuCount("v100", 4, 2),), "fan | broken\n文", ("ib",)),
    Node("cpu01", "idle", (), (), 32, 0, 128_000, 0),
)  # fmt: skip
PARTITIONS = (
    Partition("v100", "UP", ("v100-01", "v100-02"), True, 86_400, 3_600, 2, True, False,
              ("vision",), ("guest",), ("normal", "high"), "big", 200_000, "CPU=1"),
    Partition("cpu", "DOWN", (), False, None, None, None, False, True),
    Partition("shut", "UP", (), False, None, None, None, False, True, (), (), ()),
)  # fmt: skip


def job(job_id: int, user: str = "alice", state: str = "RUNNING") -> Job:
    return Job(job_id, f"job {job_id}", user, "vision", "v100", "normal", state, "None")


FULL_JOB = Job(
    4_294_967_295, "a|b\t\n\x01'\"", "bob", "nlp", "a100", "high", "PENDING",
    "Resources", 17, "3-5", 1_799_999_000, 1_800_009_000, 1_800_019_000, 86_400,
    4_294_967_295, 2, 64, "32G", "gres:gpu:a100:4", "a100-[01-02]", "afterok:5", "文",
)  # fmt: skip


def reading(*jobs: Job, at: float = NOW) -> Reading:
    return Reading(at, NODES, PARTITIONS, jobs)


@pytest.fixture(params=["fake", "sqlite_url", "postgresql_url"])
def any_store(request: pytest.FixtureRequest) -> SnapshotStore:
    if request.param == "fake":
        return FakeSnapshotStore()
    store: SnapshotStore = request.getfixturevalue("make_store")(
        request.getfixturevalue(request.param)
    )
    return store


def test_a_new_store_has_no_picture(any_store: SnapshotStore) -> None:
    assert any_store.freshness() == Freshness(0, None, None)
    assert any_store.nodes() == ()
    assert any_store.partitions() == ()
    assert any_store.live_jobs() == ()
    assert any_store.jobs() == ()
    assert any_store.refresh_requested_at() is None
    assert any_store.lost_jobs(reading()) == ()


def test_a_saved_reading_comes_back_exactly(any_store: SnapshotStore) -> None:
    assert any_store.save(reading(job(1), FULL_JOB), {}) == 1
    assert any_store.nodes() == NODES
    assert any_store.partitions() == PARTITIONS
    assert any_store.live_jobs() == (job(1), FULL_JOB)
    assert any_store.freshness() == Freshness(1, NOW, NOW, "")


def test_each_save_has_the_next_number(any_store: SnapshotStore) -> None:
    numbers = [any_store.save(reading(at=NOW + n), {}) for n in range(3)]
    assert numbers == [1, 2, 3]
    assert any_store.freshness() == Freshness(3, NOW + 2, NOW + 2, "")


def test_a_failed_look_keeps_the_picture_and_says_why(any_store: SnapshotStore) -> None:
    any_store.save(reading(job(1)), {})
    any_store.mark_failed("No answer: \0\udcff 'timeout'", NOW + 60)
    fresh = any_store.freshness()
    assert fresh == Freshness(1, NOW, NOW + 60, "No answer: \0\udcff 'timeout'")
    assert any_store.live_jobs() == (job(1),)
    assert any_store.nodes() == NODES


def test_a_good_look_clears_the_error(any_store: SnapshotStore) -> None:
    any_store.mark_failed("No answer", NOW)
    assert any_store.freshness() == Freshness(0, None, NOW, "No answer")
    any_store.save(reading(at=NOW + 10), {})
    assert any_store.freshness() == Freshness(1, NOW + 10, NOW + 10, "")


def test_nodes_and_queues_are_those_of_the_last_reading(
    any_store: SnapshotStore,
) -> None:
    any_store.save(reading(), {})
    nodes = (replace(NODES[1], cpus_used=7), replace(NODES[0], name="new"))
    any_store.save(Reading(NOW + 1, nodes, PARTITIONS[::-1], ()), {})
    assert any_store.nodes() == nodes
    assert any_store.partitions() == PARTITIONS[::-1]


def test_live_jobs_are_those_that_have_not_ended_of_one_person_or_all(
    any_store: SnapshotStore,
) -> None:
    over = job(3, state="COMPLETED")
    any_store.save(reading(job(1), job(2, "bob"), over, job(4, state="NEW_WORD")), {})
    assert [one.job_id for one in any_store.live_jobs()] == [1, 2, 4]
    assert [one.job_id for one in any_store.live_jobs("alice")] == [1, 4]
    assert any_store.live_jobs("nobody") == ()


def test_jobs_are_listed_newest_first_page_by_page(any_store: SnapshotStore) -> None:
    users = {n: "alice" if n % 2 else "bob" for n in range(1, 10)}
    jobs = [job(n, user, "FAILED" if n < 5 else "RUNNING") for n, user in users.items()]
    any_store.save(reading(*jobs), {})

    def ids(
        user: str | None = None, limit: int = 4, after: int | None = None
    ) -> list[int]:
        return [one.job_id for one in any_store.jobs(user, limit, after)]

    assert ids() == [9, 8, 7, 6]
    assert ids(after=6) == [5, 4, 3, 2]
    assert ids(after=2) == [1]
    assert ids(after=1) == []
    assert ids("alice") == [9, 7, 5, 3]
    assert ids("alice", after=3) == [1]


def test_a_live_job_that_the_reading_lacks_stays_as_it_was(
    any_store: SnapshotStore,
) -> None:
    any_store.save(reading(job(1), job(2)), {})
    lacking = reading(job(2), at=NOW + 10)
    assert any_store.lost_jobs(lacking) == (1,)
    any_store.save(lacking, {})
    assert any_store.live_jobs() == (job(1), job(2))
    assert any_store.lost_jobs(lacking) == (1,)


def test_a_lost_job_that_accounting_saw_end_is_live_no_more(
    any_store: SnapshotStore,
) -> None:
    any_store.save(reading(job(1), job(2)), {})
    end = EndedJob(1, "TIMEOUT", int(NOW) - 9, int(NOW) - 3, 0, 15)
    any_store.save(reading(job(2), at=NOW + 10), {1: end})
    assert any_store.live_jobs() == (job(2),)
    assert any_store.lost_jobs(reading(at=NOW + 20)) == (2,)
    (ended,) = any_store.jobs(after=2)
    assert (ended.job_id, ended.state, ended.name) == (1, "TIMEOUT", "job 1")


def test_the_newest_request_for_a_refresh_stands_for_all(
    any_store: SnapshotStore,
) -> None:
    for asked_at in (NOW + 5, NOW + 7, NOW + 6):
        any_store.request_refresh(asked_at)
    assert any_store.refresh_requested_at() == NOW + 7


def test_a_request_is_answered_by_a_look_that_began_after_it(
    any_store: SnapshotStore,
) -> None:
    any_store.request_refresh(NOW)
    any_store.save(reading(at=NOW - 1), {})
    assert any_store.refresh_requested_at() == NOW
    any_store.mark_failed("No answer", NOW + 1)
    assert any_store.refresh_requested_at() == NOW
    any_store.save(reading(at=NOW + 2), {})
    assert any_store.refresh_requested_at() is None
    any_store.request_refresh(NOW + 3)
    assert any_store.refresh_requested_at() == NOW + 3


def test_some_jobs_are_answered_for_by_id_or_name(store: SnapshotStore) -> None:
    jobs = (job(1), job(2, state="COMPLETED"), job(3, "bob"))
    store.save(reading(*jobs), {})
    found = {one.job_id for one in store.known_jobs([2, 99], ["job 3", "job"])}
    assert found == {2, 3}
    assert store.known_jobs([], []) == ()
