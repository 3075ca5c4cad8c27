"""A cluster of 2,000 nodes, 101 queues, 10,000 jobs: how much work it is."""

import random
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kqi_hub.domain.cluster import Association, Reading
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.queues import Queue, queues_for, survey
from kqi_hub.services.board import Picture
from kqi_hub.services.waiting import Wait, estimate_wait
from tests.fakes.people import FakeAssociations
from tests.fakes.queues import HOUR, FakeQueues, job, node, partition

NODES, QUEUES, JOBS, PEOPLE, TENANTS = 2_000, 100, 10_000, 300, 40
# A node is in three queues, and each of its places there is looked at.
CALLS_EACH = 60


def calls(work: Callable[[], object]) -> int:
    """Return how many functions are called: the same on every machine, however busy."""
    count = 0

    def called(frame: object, event: str, about: object) -> None:
        nonlocal count
        count += event.endswith("call")

    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def associations() -> Iterator[Association]:
    plain = ("root", ("normal",), "normal")
    for n in range(TENANTS):
        limits = (("cpu", 5000),)
        yield Association(f"t{n}", "", "", *plain, limits, (), (), None, None, None)
    for n in range(PEOPLE):
        where = (f"t{n % TENANTS}", f"u{n}", "")
        yield Association(*where, *plain, (), (), (), None, None, None)


def large(now: int) -> Reading:
    chance = random.Random(1)  # noqa: S311 - the same cluster each time, no secret
    nodes = [
        node(
            f"n{n:04d}",
            f"q{n % QUEUES},q{(n + 1) % QUEUES},all",
            used=(chance.choice((0, 16, 64)), 64_000, 0),
        )
        for n in range(NODES)
    ]
    queues = [
        partition(f"q{k}", [one for one in nodes if f"q{k}" in one.partitions])
        for k in range(QUEUES)
    ]
    jobs = []
    for n in range(JOBS):
        about: dict[str, object] = {"account": f"t{n % TENANTS}", "cpus": 8}
        if n % 3:
            ends_at = now + chance.randrange(60, 24 * HOUR)
            about |= {
                "node_list": f"n{chance.randrange(NODES):04d}",
                "ends_at": ends_at,
            }
        else:
            limit_s = chance.randrange(600, 24 * HOUR)
            about |= {"reason": "Priority", "time_limit_s": limit_s, "priority": n}
        state = "RUNNING" if n % 3 else "PENDING"
        queue = f"q{chance.randrange(QUEUES)}"
        jobs.append(job(n, f"u{n % PEOPLE}", queue, state, **about))
    whole = (*queues, partition("all", nodes))
    return Reading(float(now), tuple(nodes), whole, tuple(jobs))


@pytest.fixture(scope="module")
def seen() -> Reading:
    return large(int(time.time()))


def test_a_picture_is_sorted_by_looking_at_each_thing_a_few_times(
    seen: Reading,
) -> None:
    known = tuple(associations())
    work = calls(lambda: survey(seen.nodes, seen.partitions, seen.jobs, known))
    assert work < CALLS_EACH * (len(seen.jobs) + 3 * len(seen.nodes) + len(known))


def test_a_persons_queues_do_not_cost_a_look_at_every_job(seen: Reading) -> None:
    scene = survey(seen.nodes, seen.partitions, seen.jobs, tuple(associations()))
    shown: list[Queue] = []
    work = calls(lambda: shown.extend(queues_for(scene, "u1", "t1", {})))
    assert len(shown) == QUEUES + 1
    assert work < JOBS


async def test_the_waits_of_all_queues_are_worked_out_once_for_everybody(
    seen: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_out = []

    def counted(picture: Picture, queue: Queue, *about: Any) -> Wait:
        worked_out.append(queue.name)
        return estimate_wait(picture, queue, *about)

    monkeypatch.setattr("kqi_hub.services.queues.estimate_wait", counted)
    fake = FakeQueues()
    fake.store.save(seen, {})
    queues = fake.queues(FakeAssociations(tuple(associations())))
    for person, tenant in (("u1", "t1"), ("u2", "t2")):
        picture, found = await queues.list(person, tenant)
        await queues.estimates(picture, found, Shape(1, 4096), 4 * HOUR)
    assert len(worked_out) == len(set(worked_out)) == QUEUES + 1
