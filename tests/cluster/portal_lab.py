"""The portal's own side of the embedded cluster: its store, worker and commands."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kqi_hub.bootstrap.cluster import poll_rules, worker_lock
from kqi_hub.bootstrap.database import open_snapshot_store
from kqi_hub.domain.job import Job
from kqi_hub.domain.ports import SnapshotStore
from kqi_hub.services.freshness import Standing, Trust, judge
from kqi_hub.settings.loader import load_settings
from tests.cluster.slurm_lab import sbatch_as_alice, service

KQI = ("/usr/sbin/runuser", "-u", "kqi", "--")
PORTAL = ("/opt/kqi-hub/.venv/bin/python", "-m", "kqi_hub.operator.main")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/bin", "PYTHONPATH": "/opt/kqi-hub"}
# The demo looks every five seconds, and while Slurm is away every ten; Slurm's own
# daemons and a busy machine take the rest.
RECOVERY_S = 150.0


def kqi_hub(*words: str) -> subprocess.CompletedProcess[str]:
    """Run kqi-hub as the service user."""
    return subprocess.run(
        [*KQI, *PORTAL, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd="/",
        env=ENVIRONMENT,
    )


class Portal:
    """What the portal knows, asked as its pages would ask."""

    def __init__(self) -> None:
        settings = load_settings(Path("/etc/kqi/kqi.toml"))
        self.store: SnapshotStore = open_snapshot_store(settings)
        self.rules = poll_rules(settings)
        self.lock = worker_lock(settings)

    def standing(self) -> Standing:
        return judge(self.store.freshness(), time.time(), self.rules.stale_after_s)

    def job(self, job_id: int) -> Job | None:
        found = self.store.jobs(limit=1, after=job_id + 1)
        return found[0] if found and found[0].job_id == job_id else None

    def live_ids(self) -> set[int]:
        return {job.job_id for job in self.store.live_jobs()}

    def wait_for_next_picture_with(self, job_id: int) -> None:
        """Return when a job is shown that Slurm has; fail if a poll has overlooked it.

        The one that is under way may have asked Slurm before it had the job; the next
        one must show it. How long polls take is the machine's business.
        """
        before = self.store.freshness().sequence

        def is_shown() -> bool:
            sequence = self.store.freshness().sequence
            if job_id in self.live_ids():
                return True
            assert sequence < before + 2, f"job {job_id} is not in a picture after it"
            return False

        wait_for(is_shown, RECOVERY_S, f"no new picture: {self.standing()}")

    def is_fresh(self) -> bool:
        return self.standing().trust is Trust.FRESH

    def is_stale(self) -> bool:
        return self.standing().trust is Trust.STALE


def wait_for(what: Callable[[], object], limit_s: float, why: str) -> float:
    """Return how long it took until `what` came true."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < limit_s, why
        time.sleep(0.1)
    return time.monotonic() - began


@contextmanager
def running_job(portal: Portal, seconds: int = 600) -> Iterator[int]:
    """Give a job of alice's that runs, and that the portal shows as running."""
    job_id = sbatch_as_alice(
        *("-p", "cpu", "-o", "/dev/null", "--no-requeue"), "--wrap", f"sleep {seconds}"
    )
    try:
        wait_for(
            lambda: (job := portal.job(job_id)) and job.state == "RUNNING",
            60,
            f"job {job_id} is not shown as running: {portal.job(job_id)}",
        )
        yield job_id
    finally:
        subprocess.run(["/usr/bin/scancel", str(job_id)], check=False)


@contextmanager
def down(names: Sequence[str]) -> Iterator[None]:
    """Kill services as kill -9 does and hold them down."""
    with ExitStack() as stack:
        for name in names:
            # Its keeper starts it again half a second later: `stop` must come first,
            # or slurmctld is ended while it recovers jobs, and forgets that they run.
            with service(name, "kill", "stop"):
                pass
            stack.enter_context(service(name, "stop", "start"))
        yield


@contextmanager
def frozen(names: Sequence[str]) -> Iterator[None]:
    """Freeze services as SIGSTOP does."""
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(service(name, "pause", "resume"))
        yield


def kill_9(name: str) -> None:
    """Kill a service as kill -9 does; it is started again."""
    with service(name, "kill", "start"):
        pass


def resident_mb(pid: int) -> float:
    """Return a process's memory that is really there."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2
