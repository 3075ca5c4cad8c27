"""kqi-hub jobs, nodes and refresh over a real database; no Slurm in sight."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kqi_hub.bootstrap.database import open_snapshot_store
from kqi_hub.domain.cluster import GpuCount, Node, Reading
from kqi_hub.domain.job import Job
from kqi_hub.domain.ports import SnapshotStore
from kqi_hub.settings.loader import load_settings
from kqi_hub.storage.lock import FileLock
from tests.adapters.operator.conftest import Run
from tests.fakes.slurm_reader import make_job

NOW = int(time.time())
NODE = Node(
    "v100-01", "mixed", ("DRAIN",), ("v100",), 40, 8, 384_000, 1_000,
    (GpuCount("v100", 4, 1),), "bad \x1b[31mfan",
)  # fmt: skip
JOBS = (
    make_job(7, "RUNNING", node_list="cpu01", name="evil\x1b]0;owned\x07\nname"),
    make_job(8, "PENDING", reason="Resources"),
    make_job(9, "COMPLETED", starts_at=NOW - 90, ends_at=NOW - 30),
    make_job(12, "RUNNING", user="bob", array_id=10, task="3"),
)


@pytest.fixture
def store(site: Path, kqi_hub: Run) -> SnapshotStore:
    settings = (site / "kqi.toml").read_text()
    (site / "kqi.toml").write_text(f'[site]\nstate_dir = "{site}"\n{settings}')
    assert kqi_hub("db", "upgrade").exit_code == 0
    return open_snapshot_store(load_settings(site / "kqi.toml"))


@pytest.fixture
def lock(site: Path) -> Iterator[FileLock]:
    lock = FileLock(site / "worker-gpu1.lock")
    yield lock
    lock.drop()


def save(store: SnapshotStore, *jobs: Job, taken_at: float | None = None) -> None:
    store.save(Reading(taken_at or time.time(), (NODE,), (), jobs), {})


def test_jobs_shows_live_jobs_newest_first(store: SnapshotStore, kqi_hub: Run) -> None:
    save(store, *JOBS)
    done = kqi_hub("jobs")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["JOB", "10_3", "8", "7"]
    assert "(Resources)" in lines[2]
    assert "\x1b" not in done.output
    assert "\x07" not in done.output
    assert done.stderr.startswith("gpu1: As of ")


def test_jobs_of_one_person_and_ended_ones(store: SnapshotStore, kqi_hub: Run) -> None:
    save(store, *JOBS)
    assert "10_3" in kqi_hub("jobs", "--user", "bob").stdout
    assert "No jobs." in kqi_hub("jobs", "--user", "nobody'; --").stdout
    ended = kqi_hub("jobs", "--user", "alice", "--all").stdout.splitlines()
    assert ended[1].split()[:5] == ["9", "alice", "vision", "cpu", "COMPLETED"]
    assert "1 min 0 s" in ended[1]


@pytest.mark.parametrize("words", [(), ("--all",)])
def test_pages_follow_each_other(
    store: SnapshotStore, kqi_hub: Run, words: tuple[str, ...]
) -> None:
    save(store, *map(make_job, range(1, 8)))
    seen, after = [], None
    for _ in range(4):
        more = () if after is None else ("--after", str(after))
        page = json.loads(
            kqi_hub("jobs", "--json", "--limit", "3", *words, *more).stdout
        )
        seen += [job["job_id"] for job in page["jobs"]]
        after = page["more_after"]
        if after is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_table_tells_that_there_is_more(store: SnapshotStore, kqi_hub: Run) -> None:
    save(store, *map(make_job, range(1, 8)))
    assert "--after 6" in kqi_hub("jobs", "--limit", "2").stderr


@pytest.mark.parametrize(
    "words", [("--limit", "0"), ("--limit", "x"), ("--after", "y")]
)
def test_wrong_options_are_refused(
    store: SnapshotStore, kqi_hub: Run, words: tuple[str, ...]
) -> None:
    assert kqi_hub("jobs", *words).exit_code == 2


def test_json_has_the_age_and_any_name(store: SnapshotStore, kqi_hub: Run) -> None:
    save(store, *JOBS)
    data = json.loads(kqi_hub("jobs", "--json").stdout)
    assert data["picture"]["trust"] == "fresh"
    assert data["picture"]["age_s"] < 30
    assert [job["name"] for job in data["jobs"]][-1] == "evil\x1b]0;owned\x07\nname"


def test_old_picture_is_called_stale_with_its_age_and_reason(
    store: SnapshotStore, kqi_hub: Run
) -> None:
    save(store, *JOBS, taken_at=time.time() - 4000)
    assert "STALE, as of 1 h 6 min ago. No worker" in kqi_hub("jobs").stderr
    store.mark_failed("No controller.", time.time())
    done = kqi_hub("jobs")
    assert "STALE" in done.stderr
    assert "No controller." in done.stderr
    assert "10_3" in done.stdout
    assert json.loads(kqi_hub("jobs", "--json").stdout)["picture"]["trust"] == "stale"


def test_no_picture_yet_is_told(store: SnapshotStore, kqi_hub: Run) -> None:
    done = kqi_hub("jobs")
    assert (done.exit_code, done.stdout) == (0, "No jobs.\n")
    assert "No picture of the cluster yet" in done.stderr


def test_without_a_database_the_way_to_make_one_is_told(kqi_hub: Run) -> None:
    done = kqi_hub("jobs")
    assert done.exit_code == 7
    assert "kqi-hub db upgrade" in done.stderr


def test_nodes_shows_what_is_used(store: SnapshotStore, kqi_hub: Run) -> None:
    save(store)
    head, line = kqi_hub("nodes").stdout.splitlines()
    assert head.split() == [
        "NODE",
        "STATE",
        "QUEUES",
        "CPUS",
        "MEMORY",
        "GPUS",
        "REASON",
    ]
    assert "mixed+drain" in line
    assert "8/40" in line
    assert "v100:1/4" in line
    assert "\x1b" not in line
    assert (
        json.loads(kqi_hub("nodes", "--json").stdout)["nodes"][0]["name"] == "v100-01"
    )


def test_refresh_without_a_worker_says_so_at_once(
    store: SnapshotStore, kqi_hub: Run
) -> None:
    began = time.monotonic()
    done = kqi_hub("refresh", "--wait", "60")
    assert done.exit_code == 1
    assert "No worker runs." in done.stderr
    assert time.monotonic() - began < 5


def test_refresh_waits_for_the_worker_s_next_picture(
    store: SnapshotStore, kqi_hub: Run, lock: FileLock
) -> None:
    save(store)
    lock.take()

    def answer() -> None:
        while store.refresh_requested_at() is None:
            time.sleep(0.02)
        save(store)

    worker = threading.Thread(target=answer)
    worker.start()
    done = kqi_hub("refresh", "--wait", "10")
    worker.join()
    assert done.exit_code == 0, done.output
    assert "Picture 2 is there" in done.stdout


def test_refresh_of_a_silent_worker_ends_with_its_exit_code(
    store: SnapshotStore, kqi_hub: Run, lock: FileLock
) -> None:
    save(store)
    lock.take()
    done = kqi_hub("refresh", "--wait", "1")
    assert done.exit_code == 11
    assert "No fresh picture within 1 s" in done.stderr


def test_refresh_while_slurm_is_away_names_the_reason(
    store: SnapshotStore, kqi_hub: Run, lock: FileLock
) -> None:
    save(store)
    store.mark_failed("No controller.", time.time() + 1)
    lock.take()
    done = kqi_hub("refresh")
    assert done.exit_code == 10
    assert "No controller." in done.stderr
    assert store.refresh_requested_at() is None
