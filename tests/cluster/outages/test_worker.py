"""The worker beside the real Slurm: what it shows, and how soon."""

import asyncio
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from kqi_hub.db import schema
from kqi_hub.db.engine import make_engine
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.services.polling import PollRules
from kqi_hub.worker.journal import Journal
from kqi_hub.worker.poller import Poller
from tests.cluster.portal_lab import (
    ENVIRONMENT,
    KQI,
    PORTAL,
    Portal,
    kqi_hub,
    resident_mb,
    running_job,
    wait_for,
)
from tests.cluster.slurm_lab import only_inside, open_cluster, sbatch_as_alice, service

pytestmark = only_inside
HELD = ("-p", "cpu", "-o", "/dev/null", "--hold", "--wrap", "true")


@pytest.fixture(scope="module")
def portal() -> Portal:
    portal = Portal()
    wait_for(portal.is_fresh, 60, f"no fresh picture: {portal.standing()}")
    return portal


def shown(*words: str) -> dict[int, dict[str, object]]:
    done = kqi_hub("jobs", "--json", "--limit", "1000", *words)
    assert done.returncode == 0, done.stderr
    return {job["job_id"]: job for job in json.loads(done.stdout)["jobs"]}


def scancel(job_id: int) -> None:
    subprocess.run(["/usr/bin/scancel", str(job_id)], check=True)


def test_job_sent_by_bare_sbatch_shows_within_one_poll(portal: Portal) -> None:
    job_id = sbatch_as_alice(*HELD)
    portal.wait_for_next_picture_with(job_id)
    told = shown("--user", "alice")
    scancel(job_id)
    assert job_id in told
    wait_for(lambda: job_id not in portal.live_ids(), 30, "it does not go away")
    assert shown("--all")[job_id]["state"] == "CANCELLED"


def test_refresh_shows_it_without_waiting_for_the_poll(portal: Portal) -> None:
    job_id = sbatch_as_alice(*HELD)
    done = kqi_hub("refresh")
    assert done.returncode == 0, done.stderr
    seen = portal.live_ids()
    scancel(job_id)
    assert job_id in seen


def test_job_that_ends_is_shown_as_ended(portal: Portal) -> None:
    wrap = ("--wrap", "exit 3")
    job_id = sbatch_as_alice("-p", "cpu", "-o", "/dev/null", *wrap)
    wait_for(
        lambda: (job := portal.job(job_id)) and job.is_over, 60, "it is never over"
    )
    job = portal.job(job_id)
    assert job is not None
    assert job.state == "FAILED"
    assert job_id not in shown()


@pytest.mark.parametrize("name", ["a|b\tc", 'x JobId=1 State="RUNNING"', "\x1b[31mred"])
def test_weird_name_neither_breaks_nor_forges_the_picture(
    portal: Portal, name: str
) -> None:
    before = portal.store.freshness().sequence
    job_id = sbatch_as_alice("-J", name, *HELD)
    wait_for(lambda: portal.job(job_id), 30, "it never shows")
    data, table = shown(), kqi_hub("jobs").stdout
    scancel(job_id)
    assert data[job_id]["name"] == name
    assert data[job_id]["state"] == "PENDING"
    assert "\x1b" not in table
    assert portal.store.freshness().sequence > before


def test_every_node_and_queue_is_in_the_picture(portal: Portal) -> None:
    names = {node.name for node in portal.store.nodes()}
    assert {"jup01", "v100-02", "a100-01", "cpu02"} <= names
    queues = {queue.name for queue in portal.store.partitions()}
    assert {"jupyter", "v100", "a100", "cpu"} <= queues


def test_second_worker_waits_while_the_first_works(portal: Portal) -> None:
    holder = portal.lock.holder()
    with subprocess.Popen(
        [*KQI, *PORTAL, "worker"],
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env=ENVIRONMENT,
    ) as second:
        assert second.stderr is not None
        line = second.stderr.readline()
        second.terminate()
    assert "waiting" in line
    assert f"pid={holder}" in line
    assert portal.lock.holder() == holder


def test_killed_worker_is_back_with_the_same_jobs(portal: Portal) -> None:
    with running_job(portal) as job_id:
        with service("worker", "kill", "start"):
            assert job_id in portal.live_ids()
        sequence = portal.store.freshness().sequence
        wait_for(
            lambda: portal.store.freshness().sequence > sequence, 30, "no new picture"
        )
        assert job_id in portal.live_ids()


def test_worker_is_small(portal: Portal) -> None:
    pid = portal.lock.holder()
    assert pid
    assert resident_mb(pid) < 120


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 4 MB of the service user's own."""
    place = Path("/var/tmp/small")
    place.mkdir()
    options = "size=4M,mode=0700,uid=kqi"
    mount = ("/usr/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs")
    subprocess.run([*mount, place], check=True)
    yield place
    subprocess.run(["/usr/bin/umount", place], check=True)
    place.rmdir()


@contextmanager
def own_worker(config: Path, log: Path) -> Iterator[None]:
    """Run a worker of this test's own beside the site's."""
    argv = [*KQI, *PORTAL, "--config", str(config), "worker"]
    with (
        log.open("w") as stderr,
        subprocess.Popen(argv, stderr=stderr, cwd="/", env=ENVIRONMENT) as worker,
    ):
        try:
            yield
        finally:
            worker.terminate()


def test_full_disk_is_survived_and_told(small_disk: Path, tmp_path: Path) -> None:
    config, log = small_disk / "kqi.toml", tmp_path / "log"
    text = Path("/etc/kqi/kqi.toml").read_text()
    config.write_text(text.replace("/var/lib/kqi", str(small_disk)))
    upgraded = kqi_hub("--config", str(config), "db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    with own_worker(config, log):
        wait_for(lambda: "started" in log.read_text(), 30, "it does not start")
        filler = fill(small_disk)
        wait_for(lambda: "step=database" in log.read_text(), 30, "nothing is told")
        doctor = kqi_hub("--config", str(config), "doctor").stdout
        filler.unlink()
        wait_for(lambda: "back step=database" in log.read_text(), 30, "no recovery")
    told = log.read_text()
    assert "disk is full" in told, told
    assert f"fail  space for {small_disk}" in doctor


def fill(disk: Path) -> Path:
    """Write until nothing more fits."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return filler


class Forgetful:
    """The real Slurm, less some jobs: a controller that forgot them (MinJobAge)."""

    def __init__(self) -> None:
        self.real = open_cluster()
        self.forgotten: set[int] = set()

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    async def jobs(self) -> tuple[Job, ...]:
        jobs = await self.real.jobs()
        return tuple(job for job in jobs if job.job_id not in self.forgotten)

    async def ended(self, job_ids: Sequence[int]) -> Mapping[int, EndedJob]:
        return await self.real.ended(job_ids)


async def test_forgotten_job_ends_only_when_real_accounting_says_so(
    portal: Portal, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """MinJobAge is five minutes here; forgetting is played, accounting is real."""
    url = f"sqlite:///{tmp_path_factory.mktemp('own')}/kqi.sqlite"
    engine = make_engine(url, create=True)
    schema.upgrade(engine)
    store = SqlSnapshotStore(engine, "demo")
    reader = Forgetful()
    poller = Poller(reader, store, PollRules(), Journal())  # type: ignore[arg-type]  # the rest is the real one's
    done = sbatch_as_alice("-p", "cpu", "-o", "/dev/null", "--wrap", "sleep 12")
    with running_job(portal) as going:
        await poller.look()
        assert {done, going} <= {job.job_id for job in store.live_jobs()}
        wait_for(lambda: done not in portal.live_ids(), 60, "it does not end")
        await asyncio.sleep(2)
        reader.forgotten = {done, going}
        await poller.look()
        live = {job.job_id for job in store.live_jobs()}
        error = store.freshness().error
    engine.dispose()
    assert going in live
    assert done not in live
    assert f"job {going}." in error
