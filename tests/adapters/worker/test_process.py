"""Real worker processes on a real database: killed, doubled, locked, stopped."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kqi_hub.db import schema
from kqi_hub.db.engine import make_engine
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.cluster import Reading
from kqi_hub.storage.lock import FileLock
from tests.fakes.slurm_reader import make_job

ROOT = Path(__file__).parents[3]
SETTINGS = """\
[site]
state_dir = "{state}"
[cluster]
name = "small"
slurm_bin = "{folder}/bin"
poll_interval_s = 5
poll_interval_max_s = 5
command_timeout_s = {timeout_s}
[database]
url = "sqlite:///{state}/kqi.sqlite"
"""
PROGRAM = ("-m", "kqi_hub.worker", "--config", "kqi.toml")
EMPTY = "#!/bin/sh\nexit 0\n"
SILENT = """\
#!/bin/sh
echo "slurm_load_jobs error: Unable to contact slurm controller" >&2
exit 1
"""
HANGING = "#!/bin/sh\nexec sleep 100\n"


# What os.open says twice to whoever makes the lock's file.
WITHOUT_ROOM = """
real, left = os.open, [1, 2]
def full(path, *more, **named):
    if str(path).endswith(".lock") and left and left.pop():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return real(path, *more, **named)
lock.os.open = full
from kqi_hub.worker.__main__ import main
main(["--config", "kqi.toml"])
"""


@dataclass
class Site:
    """A folder with settings, a database, and programs in Slurm's place."""

    folder: Path
    workers: list[subprocess.Popen[str]] = field(default_factory=list)
    disk: Path | None = None  # what the worker writes to, if not the folder

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        state = self.disk or self.folder
        text = SETTINGS.format(folder=self.folder, state=state, timeout_s=15)
        (self.folder / "kqi.toml").write_text(text)
        (self.folder / "bin").mkdir()
        self.slurm_says(EMPTY)
        self.engine = make_engine(f"sqlite:///{state}/kqi.sqlite", create=True)
        self.store = SqlSnapshotStore(self.engine, "small")

    def make_database(self) -> None:
        schema.upgrade(self.engine)

    @property
    def lock(self) -> FileLock:
        return FileLock(self.folder / "worker-small.lock")

    def slurm_says(self, script: str) -> None:
        for name in ("squeue", "scontrol", "sacct", "sinfo"):
            fresh = self.folder / "bin" / f"{name}.new"
            fresh.write_text(script)
            fresh.chmod(0o755)
            fresh.rename(self.folder / "bin" / name)

    def start(self, *program: str) -> subprocess.Popen[str]:
        with (self.folder / f"log{len(self.workers)}").open("w") as log:
            worker = subprocess.Popen(
                [sys.executable, *(program or PROGRAM)],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stderr=log,
                text=True,
            )
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.engine.dispose()

    def log(self, number: int = 0) -> str:
        return (self.folder / f"log{number}").read_text()


@pytest.fixture
def bare_site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.end()


@pytest.fixture
def site(bare_site: Site) -> Site:
    bare_site.make_database()
    return bare_site


def wait_for(what: Callable[[], object], limit_s: float = 15) -> None:
    deadline = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < deadline, f"{what} did not come true"
        time.sleep(0.05)


@pytest.fixture(params=["tmpfs", "ext4"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of a few MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    place, image = tmp_path / "small", tmp_path / "image"
    place.mkdir()
    kind = ["-t", "tmpfs", "-o", "size=4m", "none"]
    if request.param == "ext4":
        with image.open("wb") as file:
            file.truncate(16 * 2**20)
        make = ["mkfs.ext4", "-q", "-b", "4096", "-m", "0", "-O", "^has_journal"]
        subprocess.run([*make, image], check=True)
        kind = ["-o", "loop", str(image)]
    if subprocess.run(["mount", *kind, place], check=False).returncode:
        pytest.skip(f"this machine mounts no {request.param}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk: Path) -> Path:
    """Write until nothing more fits."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    return filler


@pytest.mark.parametrize("has_run_before", [False, True], ids=["new", "killed"])
def test_worker_that_starts_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    small_disk: Path, tmp_path: Path, has_run_before: bool
) -> None:
    site = Site(tmp_path / "site", disk=small_disk)
    site.make_database()
    site.engine.dispose()
    try:
        if has_run_before:
            site.start()
            wait_for(lambda: looks(site) >= 1)
            site.workers[-1].kill()
            site.workers[-1].wait()
            site.engine.dispose()
        filler = fill(small_disk)
        worker, number = site.start(), len(site.workers) - 1
        wait_for(lambda: "disk is full" in site.log(number), 30)
        assert "Traceback" not in site.log(number)
        assert "back step" not in site.log(number)
        assert worker.poll() is None
        filler.unlink()
        wait_for(lambda: "started" in site.log(number))
        before = looks(site)
        wait_for(lambda: looks(site) > before)
        assert worker.poll() is None
    finally:
        site.end()


def test_worker_without_room_for_its_lock_waits_until_there_is_some(
    site: Site,
) -> None:
    # A named fake: no inode is left for the lock's file, then there is one.
    waits = "import kqi_hub.storage.lock as lock, errno, os, sys\n" + WITHOUT_ROOM
    worker = site.start("-c", waits)
    wait_for(lambda: "started" in site.log())
    told, rest = site.log().split("back step=lock", 1)
    assert "trouble step=lock kind=no-room" in told
    assert "the disk is full" in told
    assert "another worker" not in told + rest
    assert worker.poll() is None


def looks(site: Site) -> int:
    return site.store.freshness().sequence


def test_worker_looks_and_ends_cleanly_at_sigterm(site: Site) -> None:
    worker = site.start()
    wait_for(lambda: looks(site) >= 1)
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=5) == 0
    assert time.monotonic() - began < 2
    assert "stopping signal=SIGTERM" in site.log()
    assert site.lock.holder() is None


def test_sigterm_ends_a_worker_whose_question_hangs(site: Site) -> None:
    site.slurm_says(HANGING)
    worker = site.start()
    wait_for(lambda: "started" in site.log())
    time.sleep(0.5)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=3) == 0


def test_sigterm_ends_a_worker_whose_database_is_locked(site: Site) -> None:
    worker = site.start()
    wait_for(lambda: looks(site) >= 1)
    with closing(sqlite3.connect(site.folder / "kqi.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(6)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=5) == 0


def test_second_worker_waits_and_takes_over_after_kill_9(site: Site) -> None:
    first = site.start()
    wait_for(lambda: looks(site) >= 1)
    site.start()
    wait_for(lambda: "waiting" in site.log(1))
    assert f"pid={first.pid}" in site.log(1)
    assert "started" not in site.log(1)
    before = looks(site)
    first.kill()
    first.wait()
    wait_for(lambda: "started" in site.log(1), 5)
    wait_for(lambda: looks(site) > before)
    assert site.lock.holder() == site.workers[1].pid


def test_two_workers_started_at_once_are_one(site: Site) -> None:
    site.start()
    site.start()
    wait_for(lambda: " info started " in site.log(0) + site.log(1))
    wait_for(lambda: " info waiting " in site.log(0) + site.log(1))
    assert (site.log(0) + site.log(1)).count(" info started ") == 1


def test_kill_9_again_and_again_leaves_a_picture_that_can_be_read(site: Site) -> None:
    site.store.save(Reading(1.0, (), (), tuple(map(make_job, range(1, 500)))), {})
    site.slurm_says(SILENT)
    for pause_s in (0.9, 1.1, 1.3):
        worker = site.start()
        time.sleep(pause_s)
        worker.kill()
        worker.wait()
    assert len(site.store.live_jobs()) == 499
    assert site.lock.holder() is None


def test_unreachable_slurm_keeps_the_picture_and_says_why(site: Site) -> None:
    site.store.save(Reading(1.0, (), (), (make_job(7),)), {})
    site.slurm_says(SILENT)
    site.start()
    wait_for(lambda: site.store.freshness().error)
    freshness = site.store.freshness()
    assert freshness.taken_at == 1.0
    assert "Unable to contact slurm controller" in freshness.error
    assert [job.job_id for job in site.store.live_jobs()] == [7]
    site.slurm_says(EMPTY)
    # squeue lists nothing and sacct confirms nothing: the job is not known to be over.
    wait_for(lambda: "job 7" in site.store.freshness().error, 20)
    assert "back step=slurm" in site.log()
    assert [job.job_id for job in site.store.live_jobs()] == [7]


def test_worker_started_before_the_database_waits_for_it(bare_site: Site) -> None:
    worker = bare_site.start()
    wait_for(lambda: "kind=database-not-ready" in bare_site.log())
    assert worker.poll() is None
    bare_site.make_database()
    wait_for(lambda: looks(bare_site) >= 1)
    assert "back step=database" in bare_site.log()


def test_wrong_settings_end_it_with_their_own_exit_code(site: Site) -> None:
    (site.folder / "kqi.toml").write_text("[cluster]\nname = 5\n")
    worker = site.start()
    assert worker.wait(timeout=10) == 6
    assert "cluster.name" in site.log()


def test_missing_state_folder_is_told(site: Site) -> None:
    text = (site.folder / "kqi.toml").read_text()
    gone = text.replace(f'state_dir = "{site.folder}"', 'state_dir = "/nonexistent"')
    (site.folder / "kqi.toml").write_text(gone)
    worker = site.start()
    assert worker.wait(timeout=10) == 1
    assert "/nonexistent/worker-small.lock" in site.log()
