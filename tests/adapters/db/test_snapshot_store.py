"""What only the database's store promises: few writes, one moment, other writers."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Engine, event, text

from kqi_hub.db.engine import make_engine, reading as reading_transaction
from kqi_hub.db.snapshot import PURGE_BITE, SqlSnapshotStore
from kqi_hub.domain.cluster import Node, Partition, Reading
from kqi_hub.domain.errors import DatabaseNotReady
from kqi_hub.domain.job import EndedJob, Job

NOW = 1_800_000_000.0
DAY_S = 24 * 3600
HOSTILE = [
    "",
    "a\0b",
    "\0",
    "\udcff\udc80 not UTF-8",
    "\ud800",
    "\x1a0000",
    "tab\tcr\rlf\nbell\x07esc\x1b[31m\x7f\x85",
    "quote ' \" ` \\ %s %(x)s :name ? $1 {} --; DROP TABLE jobs",
    "x JobId=1 State=RUNNING",
    "文字 서울 🖥\u200b\u202e\uffff",
    "n" * 100_000,
]


def job(job_id: int, user: str = "alice", state: str = "RUNNING") -> Job:
    return Job(job_id, "train", user, "vision", "v100", "normal", state, "None")


def over(job_id: int, ends_at: float | None) -> Job:
    end = None if ends_at is None else int(ends_at)
    return replace(job(job_id, state="COMPLETED"), ends_at=end)


def node(name: str, cpus_used: int = 0) -> Node:
    return Node(name, "idle", (), (), 64, cpus_used, 256_000, 0)


def reading(*jobs: Job, at: float = NOW, nodes: tuple[Node, ...] = ()) -> Reading:
    return Reading(at, nodes, (), jobs)


def row(engine: Engine, job_id: int) -> dict[str, object]:
    with reading_transaction(engine) as connection:
        query = text("SELECT * FROM jobs WHERE job_id = :id")
        return dict(connection.execute(query, {"id": job_id}).mappings().one())


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """Collect what is sent to the database, less what begins a transaction."""
    seen: list[str] = []

    def note(_c: object, _cu: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def written_tables(seen: list[str]) -> set[str]:
    words = [one.split() for one in seen]
    return {
        one[1] if one[0] == "UPDATE" else one[2]
        for one in words
        if one[0] in ("INSERT", "UPDATE", "DELETE")
    }


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:20])
def test_any_name_comes_back_exactly_and_is_found_by(
    store: SqlSnapshotStore, name: str
) -> None:
    weird = replace(job(1), name=name, user=name, comment=name, reason=name)
    nodes = (replace(node(name), reason=name, features=(name, name)),)
    store.save(reading(weird, job(2), nodes=nodes), {})
    assert store.live_jobs(name) == (weird,)
    assert store.jobs(name) == (weird,)
    assert store.nodes() == nodes


def test_clusters_in_one_database_do_not_touch_each_other(
    engine: Engine, store: SqlSnapshotStore
) -> None:
    other = SqlSnapshotStore(engine, "gpu2")
    store.save(reading(job(1), nodes=(node("a"),)), {})
    other.save(reading(job(1, "bob"), at=NOW + 5, nodes=(node("b"),)), {})
    other.save(reading(at=NOW + 6), {1: EndedJob(1, "FAILED", None, 1, 1, 0)})
    other.request_refresh(NOW + 9)
    assert store.live_jobs() == (job(1),)
    assert store.nodes() == (node("a"),)
    assert store.freshness().sequence == 1
    assert store.refresh_requested_at() is None


def test_an_unchanged_reading_writes_the_snapshot_row_and_nothing_else(
    engine: Engine, store: SqlSnapshotStore
) -> None:
    jobs = [*(job(n) for n in range(1, 200)), over(200, NOW), over(201, None)]
    store.save(reading(*jobs, nodes=(node("a"),)), {})
    with statements(engine) as seen:
        store.save(reading(*map(replace, jobs), at=NOW + 10, nodes=(node("a"),)), {})
    assert written_tables(seen) == {"snapshot"}
    assert len(seen) <= 5


def test_only_what_changed_is_written(engine: Engine, store: SqlSnapshotStore) -> None:
    store.save(reading(job(1), job(2), nodes=(node("a"), node("b"))), {})
    changed = replace(job(2), state="COMPLETING")
    store.save(reading(job(1), changed, at=NOW + 10, nodes=(node("a"), node("b"))), {})
    assert row(engine, 1)["changed_in"] == 1
    assert row(engine, 2)["changed_in"] == 2
    assert store.live_jobs() == (job(1), changed)


def test_after_a_restart_an_unchanged_reading_writes_no_job(
    engine: Engine, store: SqlSnapshotStore
) -> None:
    picture = reading(job(1), over(2, NOW), over(3, None), nodes=(node("a"),))
    store.save(picture, {})
    store.save(picture, {})
    restarted = SqlSnapshotStore(engine, "gpu1")
    with statements(engine) as seen:
        assert restarted.save(picture, {}) == 3
    assert written_tables(seen) == {"snapshot"}


def test_a_second_writer_is_noticed_and_the_picture_stays_right(
    engine: Engine, store: SqlSnapshotStore
) -> None:
    other = SqlSnapshotStore(engine, "gpu1")
    store.save(reading(job(1), job(2), nodes=(node("a"),)), {})
    changed = replace(job(2), state="SUSPENDED")
    assert other.save(reading(changed, job(3), nodes=(node("b"),)), {}) == 2
    # What `store` remembers equals this reading, yet the database does not.
    assert store.lost_jobs(reading(job(1), job(2))) == (3,)
    assert store.save(reading(job(1), job(2), nodes=(node("a"),)), {}) == 3
    assert store.live_jobs() == (job(1), job(2), job(3))
    assert store.nodes() == (node("a"),)


def test_a_save_that_fails_changes_nothing_and_the_next_one_works(
    engine: Engine, store: SqlSnapshotStore
) -> None:
    store.save(reading(job(1), nodes=(node("a"),)), {})
    unstorable = replace(job(2), priority=2**70)
    with pytest.raises(Exception, match=r"(?i)int|range|large"):
        store.save(reading(job(1), unstorable, at=NOW + 5, nodes=(node("b"),)), {})
    assert store.freshness().taken_at == NOW
    assert store.nodes() == (node("a"),)
    assert store.save(reading(job(1), job(2), at=NOW + 9, nodes=(node("b"),)), {}) == 2
    assert store.live_jobs() == (job(1), job(2))
    assert store.nodes() == (node("b"),)


def test_a_missing_job_is_marked_since_when_until_it_comes_back(
    engine: Engine, store: SqlSnapshotStore
) -> None:
    store.save(reading(job(1)), {})
    store.save(reading(at=NOW + 10), {})
    store.save(reading(at=NOW + 20), {})
    marked = row(engine, 1)
    assert (marked["gone_since"], marked["state"]) == (NOW + 10, "RUNNING")
    SqlSnapshotStore(engine, "gpu1").save(reading(at=NOW + 30), {})
    assert row(engine, 1)["gone_since"] == NOW + 10
    store.save(reading(job(1), at=NOW + 40), {})
    assert row(engine, 1)["gone_since"] is None
    assert row(engine, 1)["first_seen"] == NOW


def test_what_accounting_says_of_an_end_is_kept(
    engine: Engine, store: SqlSnapshotStore
) -> None:
    store.save(reading(job(1)), {})
    end = EndedJob(1, "OUT_OF_MEMORY", int(NOW) - 60, int(NOW) - 5, 137, 9)
    store.save(reading(at=NOW + 10), {1: end})
    kept = row(engine, 1)
    assert (kept["state"], kept["exit_code"], kept["signal"]) == (
        "OUT_OF_MEMORY",
        137,
        9,
    )
    assert (kept["starts_at"], kept["ends_at"]) == (int(NOW) - 60, int(NOW) - 5)
    assert (kept["over_since"], kept["gone_since"]) == (NOW - 5, None)
    # A controller that restarts from an older state lists it once more.
    again = replace(job(1, state="OUT_OF_MEMORY"), ends_at=int(NOW) - 5)
    store.save(reading(again, at=NOW + 20), {})
    assert row(engine, 1)["exit_code"] == 137


def test_a_requeued_job_is_live_again_without_its_old_exit_code(
    engine: Engine, store: SqlSnapshotStore
) -> None:
    store.save(reading(job(1)), {})
    store.save(reading(at=NOW + 9), {1: EndedJob(1, "NODE_FAIL", None, int(NOW), 1, 9)})
    store.save(reading(job(1, state="PENDING"), at=NOW + 20), {})
    assert store.live_jobs() == (job(1, state="PENDING"),)
    kept = row(engine, 1)
    assert (kept["exit_code"], kept["signal"], kept["over_since"]) == (None, None, None)


def test_an_id_used_again_is_the_new_job(store: SqlSnapshotStore) -> None:
    store.save(reading(over(1, NOW - 5)), {})
    store.save(reading(at=NOW + 10), {})
    store.save(reading(job(1, "bob"), at=NOW + 20), {})
    assert store.jobs() == (job(1, "bob"),)
    assert store.jobs("alice") == ()


def test_ended_jobs_are_purged_in_bites_after_their_time(
    store: SqlSnapshotStore,
) -> None:
    count = PURGE_BITE + 20
    old = [over(n, NOW - 5) for n in range(1, count + 1)]
    store.save(reading(*old, job(6000)), {})
    recent = over(5000, NOW + DAY_S - 60)
    left = []
    for n in range(3):
        store.save(reading(recent, job(6000), at=NOW + DAY_S + n), {})
        left.append(len(store.jobs(limit=10_000)))
    assert left == [22, 2, 2]


def test_a_controller_with_a_long_memory_does_not_bring_purged_jobs_back(
    engine: Engine, store: SqlSnapshotStore
) -> None:
    old = over(1, NOW - 5)
    store.save(reading(old), {})
    store.save(reading(old, at=NOW + DAY_S), {})
    assert store.jobs() == ()
    for later in (store, SqlSnapshotStore(engine, "gpu1")):
        with statements(engine) as seen:
            later.save(reading(old, at=NOW + DAY_S + 10), {})
        assert written_tables(seen) == {"snapshot"}


def test_a_missing_live_job_is_never_purged(store: SqlSnapshotStore) -> None:
    late = replace(job(1), ends_at=int(NOW) - 10)
    store.save(reading(late), {})
    store.save(reading(at=NOW + 100 * DAY_S), {})
    assert store.live_jobs() == (late,)


def test_freshness_is_one_look_at_one_row(
    engine: Engine, store: SqlSnapshotStore
) -> None:
    store.save(reading(job(1)), {})
    with statements(engine) as seen:
        store.freshness()
    (query,) = seen
    assert "WHERE snapshot.cluster =" in query
    assert "JOIN" not in query


@pytest.mark.parametrize(
    "ask",
    [
        SqlSnapshotStore.live_jobs,
        lambda store: store.live_jobs("bob"),
        SqlSnapshotStore.jobs,
        lambda store: store.jobs("bob", after=7),
        SqlSnapshotStore.freshness,
        SqlSnapshotStore.refresh_requested_at,
    ],
)
def test_no_question_reads_a_whole_table(
    sqlite_url: str,
    make_store: Callable[[str], SqlSnapshotStore],
    ask: Callable[[SqlSnapshotStore], object],
) -> None:
    store = make_store(sqlite_url)
    engine = make_engine(sqlite_url)
    with statements(engine) as seen:
        ask(SqlSnapshotStore(engine, "gpu1"))
    (query,) = seen
    with reading_transaction(engine) as connection:
        values = (None,) * query.count("?")
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)
        steps = [step.detail for step in plan]
    engine.dispose()
    assert store.jobs() == ()
    assert steps
    assert not [step for step in steps if step.startswith("SCAN")]


def picture(number: int) -> Reading:
    """Return a picture in which everything says the same number."""
    jobs = tuple(replace(job(n), priority=number) for n in range(1, 301))
    nodes = tuple(node(f"n{n}", cpus_used=number) for n in range(50))
    queue = Partition("q", "UP", (), True, number, None, None, False, True)
    return Reading(NOW + number, nodes, (queue,), jobs)


def numbers_seen(engine: Engine) -> set[int]:
    """Read the picture with several queries in one transaction."""
    with reading_transaction(engine) as connection:
        found = {
            connection.scalar(text("SELECT max(max_time_s) FROM partitions")),
            *connection.scalars(text("SELECT DISTINCT cpus_used FROM nodes")),
            *connection.scalars(text("SELECT DISTINCT priority FROM jobs")),
            connection.scalar(text("SELECT sequence FROM snapshot")),
        }
    return {int(number) for number in found}


def test_a_reader_in_one_transaction_sees_one_picture(
    engine: Engine, store: SqlSnapshotStore
) -> None:
    store.save(picture(1), {})
    stop = threading.Event()
    seen: list[set[int]] = []

    def read() -> None:
        while not stop.is_set():
            seen.append(numbers_seen(engine))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in readers:
        thread.start()
    for number in range(2, 30):
        assert store.save(picture(number), {}) == number
    stop.set()
    for thread in readers:
        thread.join()
    assert len(seen) > 5
    assert [numbers for numbers in seen if len(numbers) != 1] == []
    assert len({next(iter(numbers)) for numbers in seen}) > 1


def test_many_threads_may_use_one_store(store: SqlSnapshotStore) -> None:
    faults: list[BaseException] = []

    def use(number: int) -> None:
        try:
            for turn in range(8):
                store.save(picture(number * 100 + turn), {})
                store.request_refresh(NOW + turn)
                store.mark_failed("late", NOW + turn)
                assert len(store.live_jobs()) == 300
                assert store.lost_jobs(picture(0)) == ()
        except BaseException as fault:  # noqa: BLE001 - a thread's faults are told below
            faults.append(fault)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert store.freshness().sequence == 32
    assert len({one.priority for one in store.live_jobs()}) == 1


SAVE_FOR_EVER = """
import sys
from dataclasses import replace
from kqi_hub.db.engine import make_engine
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.cluster import Node, Partition, Reading
from kqi_hub.domain.job import Job

store = SqlSnapshotStore(make_engine(sys.argv[1]), "gpu1")
number = store.freshness().sequence
while True:
    number += 1
    jobs = tuple(
        Job(n, "train", "alice", "vision", "v100", "", "RUNNING", "", priority=number)
        for n in range(1, 2001)
    )
    nodes = tuple(Node(f"n{n}", "idle", (), (), 64, number, 1, 0) for n in range(50))
    queue = Partition("q", "UP", (), True, number, None, None, False, True)
    store.save(Reading(float(number), nodes, (queue,), jobs), {})
    print(number, flush=True)
"""


def test_a_writer_killed_half_way_leaves_one_whole_picture(
    engine: Engine, store: SqlSnapshotStore, database_url: str
) -> None:
    for pause_s in (0.0, 0.03, 0.06):
        writer = subprocess.Popen(
            [sys.executable, "-c", SAVE_FOR_EVER, database_url], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        assert writer.stdout.readline()
        time.sleep(pause_s)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        assert len(numbers_seen(engine)) == 1
    sequence = store.freshness().sequence
    assert store.save(picture(sequence + 1), {}) == sequence + 1
    assert len(store.live_jobs()) == 2000


def test_a_store_without_its_tables_says_what_to_do(engine: Engine) -> None:
    store = SqlSnapshotStore(engine, "gpu1")
    with pytest.raises(DatabaseNotReady, match="kqi-hub db upgrade"):
        store.freshness()
    with pytest.raises(DatabaseNotReady, match="kqi-hub db upgrade"):
        store.save(reading(), {})
