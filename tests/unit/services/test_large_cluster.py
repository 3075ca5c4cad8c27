"""A cluster of 2,000 nodes, 101 queues, 10,000 jobs stays quick, in CPU time."""

import random
import time
from collections.abc import Iterator

import pytest

from kqi_hub.domain.cluster import Association, Reading
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.queues import queues_for, survey
from tests.fakes.people import FakeAssociations
from tests.fakes.queues import HOUR, FakeQueues, job, node, partition

NODES, QUEUES, JOBS, PEOPLE, TENANTS = 2_000, 100, 10_000, 300, 40


class Spent:
    """CPU seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.process_time()

    @property
    def seconds(self) -> float:
        return time.process_time() - self._began


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


def test_a_picture_is_sorted_in_less_than_a_second(seen: Reading) -> None:
    spent = Spent()
    scene = survey(seen.nodes, seen.partitions, seen.jobs, associations())
    assert spent.seconds < 1
    spent = Spent()
    assert len(queues_for(scene, "u1", "t1", {})) == QUEUES + 1
    assert spent.seconds < 0.05


async def test_the_waits_of_all_queues_are_worked_out_once_and_soon(
    seen: Reading,
) -> None:
    fake = FakeQueues()
    fake.store.save(seen, {})
    queues = fake.queues(FakeAssociations(tuple(associations())))
    picture, found = await queues.list("u1", "t1")
    spent = Spent()
    await queues.estimates(picture, found, Shape(1, 4096), 4 * HOUR)
    assert spent.seconds < 2.5
    spent = Spent()
    other, theirs = await queues.list("u2", "t2")
    await queues.estimates(other, theirs, Shape(1, 4096), 4 * HOUR)
    assert spent.seconds < 0.25
