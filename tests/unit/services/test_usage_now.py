"""What goes on right now: cost so far, and GPUs that do nothing."""

import asyncio
import time

import pytest

from kqi_hub.domain.job import Job
from kqi_hub.services.usage_now import IdleGpus, RunningNow, idle_gpus, running_now
from tests.fakes.people import FakeAssociations, association
from tests.fakes.queues import FakeQueues, node

GPUS = ("a100", 8)


def test_gpus_are_counted_by_type_and_those_of_dead_nodes_apart() -> None:
    nodes = (
        node("n1", "a100", gpus=GPUS, used=(4, 10, 3)),
        node("n2", "a100", gpus=GPUS, state="down"),
        node("n3", "v100", gpus=("v100", 4)),
        node("n4", "cpu"),
    )
    a100, v100 = idle_gpus(nodes)
    assert a100 == IdleGpus("a100", 16, 3, 8)
    assert (a100.idle, v100.idle) == (5, 4)
    assert idle_gpus(()) == ()


@pytest.mark.parametrize(
    ("person", "jobs", "gpus"), [("mia", 2, 0), ("max", 2, 4), ("nobody", 0, 0)]
)
def test_running_jobs_cost_what_lists_say_they_cost_so_far(
    person: str, jobs: int, gpus: int
) -> None:
    queues = FakeQueues().queues(FakeAssociations((association("mia", "vision"),)))
    picture = asyncio.run(queues.board.current())

    def is_theirs(job: Job) -> bool:
        return job.user == person

    now = time.time()
    found = running_now(picture, queues.pricing, now, is_theirs)
    mine = [job for job in picture.jobs if is_theirs(job) and not job.is_waiting]
    costs = [queues.pricing.cost_so_far(picture.scene, job, now) for job in mine]
    assert found == RunningNow(jobs, gpus, sum(filter(None, costs)), costs.count(None))
