"""Kill -9 and worse while jobs run: the picture stays, and no live job is ended."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from kqi_hub.services.freshness import Trust
from tests.cluster.portal_lab import (
    RECOVERY_S,
    Portal,
    down,
    frozen,
    kill_9,
    kqi_hub,
    running_job,
    wait_for,
)
from tests.cluster.slurm_lab import only_inside
from tests.cluster.stack import run_as

pytestmark = only_inside
# Slurm's programs need 9 to 10 s to give up on a controller.
NOTICED_S = 45.0

Fault = Callable[[list[str]], AbstractContextManager[None]]


class Watch:
    """Read the store again and again, as pages do, and note every wrong answer."""

    def __init__(self, job_id: int) -> None:
        self._job_id = job_id
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.readings = 0
        self.wrong: list[str] = []
        self.trusts: set[Trust] = set()

    def _run(self) -> None:
        portal = Portal()
        while not self._stop.wait(0.2):
            job = portal.job(self._job_id)
            self.readings += 1
            self.trusts.add(portal.standing().trust)
            if job is None or job.is_over or self._job_id not in portal.live_ids():
                self.wrong.append(f"{time.time():.1f} {job}")

    @contextmanager
    def watching(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()


SAVED = Path("/var/lib/slurm/ctld/job_state")


def settle(job_id: int) -> None:
    """Wait until slurmctld has written down that the job runs.

    It does so some seconds after the next change of any job. One that has started
    since then comes back from kill -9 as waiting, and it is Slurm that forgot.
    """
    changed = time.time()
    run_as("root", "scontrol", "update", f"JobId={job_id}", "Comment=settled")
    wait_for(
        lambda: SAVED.stat().st_mtime > changed, 30, "slurmctld does not save its jobs"
    )


@pytest.fixture(scope="module")
def survivor() -> Iterator[int]:
    """A job of alice's that runs through all of the faults."""
    portal = Portal()
    # Tests before this one may have stopped slurmctld; looks are seldom after that.
    wait_for(portal.is_fresh, RECOVERY_S, f"no fresh picture: {portal.standing()}")
    with running_job(portal, 3600) as job_id:
        settle(job_id)
        yield job_id


@pytest.fixture
def portal() -> Portal:
    portal = Portal()
    wait_for(portal.is_fresh, RECOVERY_S, f"no fresh picture: {portal.standing()}")
    return portal


def is_answering() -> bool:
    asked = subprocess.run(
        ["/usr/bin/sacctmgr", "-n", "show", "cluster"],
        capture_output=True,
        check=False,
        timeout=60,
    )
    return asked.returncode == 0 and b"demo" in asked.stdout


@pytest.mark.parametrize(
    ("fault", "names", "shows"),
    [
        (down, ["slurmctld"], True),
        (frozen, ["slurmctld"], True),
        (down, ["slurmdbd"], False),
        (down, ["mariadb"], False),
        (down, ["worker"], False),
        (down, ["munged"], True),
        (down, ["worker", "slurmctld", "slurmdbd", "mariadb"], True),
    ],
    ids=["slurmctld", "frozen", "slurmdbd", "mariadb", "worker", "munged", "all"],
)
def test_running_job_stays_running_through_it(
    portal: Portal, survivor: int, fault: Fault, names: list[str], shows: bool
) -> None:
    watch = Watch(survivor)
    with watch.watching():
        with fault(names):
            before = portal.standing()
            if shows:
                wait_for(portal.is_stale, NOTICED_S, f"never stale: {before}")
                assert "STALE, as of" in portal.standing().sentence
                assert kqi_hub("jobs").stderr.startswith("demo: STALE, as of ")
            else:
                time.sleep(8)
                assert portal.is_fresh(), portal.standing()
        wait_for(portal.is_fresh, RECOVERY_S, f"{portal.standing()}")
    assert watch.readings > 20
    assert watch.wrong == []
    job = portal.job(survivor)
    assert job is not None
    assert job.state == "RUNNING"
    wait_for(is_answering, 60, "accounting is not back")


def test_reason_of_the_outage_is_told(portal: Portal) -> None:
    with down(["slurmctld"]):
        wait_for(lambda: portal.store.freshness().error, NOTICED_S, "no reason")
        assert "Unable to contact slurm controller" in portal.standing().sentence
        refused = kqi_hub("refresh")
        assert refused.returncode == 10
        assert "Unable to contact slurm controller" in refused.stderr
    wait_for(portal.is_fresh, RECOVERY_S, f"{portal.standing()}")


def test_job_that_ends_during_an_outage_ends_when_it_is_over(portal: Portal) -> None:
    with running_job(portal, 15) as job_id:
        ends_at = time.monotonic() + 15
        settle(job_id)
        # A short outage: slurmd tells of the end again only after the longer the
        # longer nobody listened.
        with down(["slurmctld"]):
            wait_for(lambda: portal.store.freshness().error, NOTICED_S, "not noticed")
            time.sleep(max(0.0, ends_at - time.monotonic()) + 2)
            assert job_id in portal.live_ids()
        wait_for(lambda: job_id not in portal.live_ids(), RECOVERY_S, "it never ends")
        job = portal.job(job_id)
    assert job is not None
    assert job.state == "COMPLETED"


def test_everything_killed_at_once_comes_back_by_itself(
    portal: Portal, survivor: int
) -> None:
    """Nobody holds anything down here: what is killed is started again."""
    watch = Watch(survivor)
    with watch.watching():
        for name in ("mariadb", "slurmdbd", "slurmctld", "munged", "worker"):
            kill_9(name)
        killed_at = time.time()
        wait_for(
            lambda: (portal.store.freshness().taken_at or 0) > killed_at,
            RECOVERY_S,
            "no picture since",
        )
        wait_for(portal.is_fresh, RECOVERY_S, f"{portal.standing()}")
    assert watch.wrong == []
    assert survivor in portal.live_ids()
