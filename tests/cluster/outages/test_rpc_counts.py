"""What the portal costs slurmctld does not depend on how many people read."""

import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.cluster.portal_lab import Portal, wait_for
from tests.cluster.slurm_lab import only_inside

pytestmark = only_inside
# Three looks of the worker, which are 15 s: a window between two looks is exact,
# whereas one by the clock could hold a look more or less.
LOOKS = 3
READERS = 200
SERVICE_USER = "kqi"
_BY_TYPE = re.compile(r"^\s+(\w+)\s+\(\s*\d+\) count:(\d+)", re.MULTILINE)
_BY_USER = re.compile(r"^\s+(\S+)\s+\(\s*\d+\) count:(\d+)", re.MULTILINE)
# What daemons and other tests say to slurmctld is none of the portal's doing.
PORTAL_ASKS = ("REQUEST_NODE_INFO", "REQUEST_PARTITION_INFO", "REQUEST_JOB_INFO")


@dataclass(frozen=True)
class Counts:
    """RPCs that slurmctld has answered since it began to count."""

    by_type: Counter[str]
    of_service_user: int

    def since(self, before: "Counts") -> "Counts":
        asked = {
            name: self.by_type[name] - before.by_type[name] for name in PORTAL_ASKS
        }
        mine = self.of_service_user - before.of_service_user
        return Counts(Counter(asked), mine)


def count() -> Counts:
    text = subprocess.run(
        ["/usr/bin/sdiag"], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    types, _, users = text.partition("statistics by user")
    by_user = {name: int(number) for name, number in _BY_USER.findall(users)}
    by_type = Counter({name: int(n) for name, n in _BY_TYPE.findall(types)})
    return Counts(by_type, by_user.get(SERVICE_USER, 0))


def after_next_look(portal: Portal) -> Counts:
    """Count just after a look: the next one is almost five seconds away."""
    seen = portal.store.freshness().sequence
    wait_for(lambda: portal.store.freshness().sequence > seen, 60, "nobody looks")
    return count()


def cost_of(portal: Portal, looks: int) -> Counts:
    before = after_next_look(portal)
    for _ in range(looks - 1):
        after_next_look(portal)
    return after_next_look(portal).since(before)


@contextmanager
def readers(number: int) -> Iterator[Counter[str]]:
    """Read the picture in `number` threads as pages do, every half second each."""
    stop, done = threading.Event(), Counter[str]()

    def read() -> None:
        own = Portal()
        while not stop.is_set():
            own.standing()
            own.store.nodes()
            own.store.live_jobs("alice")
            own.store.jobs(limit=20)
            done["pages"] += 1
            stop.wait(0.5)

    threads = [threading.Thread(target=read) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def portal() -> Portal:
    portal = Portal()
    wait_for(portal.is_fresh, 150, f"no fresh picture: {portal.standing()}")
    return portal


def test_two_hundred_readers_cost_slurmctld_what_one_does(portal: Portal) -> None:
    with readers(1) as pages:
        for_one = cost_of(portal, LOOKS)
    assert pages["pages"] > 20
    with readers(READERS) as pages:
        for_many = cost_of(portal, LOOKS)
    assert pages["pages"] > 20 * 50
    assert for_one.of_service_user > 0
    assert for_many == for_one
    assert for_one.by_type["REQUEST_JOB_INFO"] == LOOKS


def test_a_hundred_refreshes_cost_one_look(portal: Portal) -> None:
    after_next_look(portal)
    before = count()
    for _ in range(100):
        portal.store.request_refresh(time.time())
    sequence = portal.store.freshness().sequence
    wait_for(lambda: portal.store.freshness().sequence > sequence, 30, "no look")
    asked = count().since(before)
    assert asked.by_type["REQUEST_JOB_INFO"] == 1


if __name__ == "__main__":  # python -m tests.cluster.outages.test_rpc_counts LOOKS
    lab = Portal()
    for crowd in (1, READERS):
        with readers(crowd) as seen:
            began = time.monotonic()
            cost = cost_of(lab, int(sys.argv[1]))
            took = time.monotonic() - began
        sys.stdout.write(
            f"{crowd} readers, {took:.0f} s, {seen['pages']} pages: {cost}\n"
        )
