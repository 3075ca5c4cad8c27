"""The fake keeps to the contract, so that tests of services may lean on it."""

import pytest

from kqi_hub.domain.errors import ClusterTimedOut, ClusterUnreachable
from tests.contract.cluster_contract import ClusterContract, Lab
from tests.fakes.cluster import FakeCluster


def make_lab(cluster: FakeCluster) -> Lab:
    async def wait(seconds: float) -> None:
        cluster.tick(seconds)

    return Lab(cluster, "alice", "bob", "vision", "cpu", "/", lambda: cluster.now, wait)


@pytest.fixture
def lab() -> Lab:
    return make_lab(FakeCluster())


class TestFakeCluster(ClusterContract):
    """The fake."""


async def test_a_lost_answer_leaves_a_job_behind_that_can_be_found() -> None:
    cluster = FakeCluster()
    cluster.programs.answers_of_submit_get_lost = True
    lab = make_lab(cluster)
    script = lab.script("sleep 1")
    with pytest.raises(ClusterTimedOut):
        await cluster.submit("alice", script)
    assert await cluster.find("alice", script.name, 0) == (1,)


async def test_an_unreachable_cluster_does_nothing() -> None:
    cluster = FakeCluster()
    cluster.fault = ClusterUnreachable("down")
    lab = make_lab(cluster)
    with pytest.raises(ClusterUnreachable):
        await cluster.submit("alice", lab.script("sleep 1"))
    cluster.fault = None
    assert await cluster.jobs() == ()


async def test_the_controller_forgets_ended_jobs_and_accounting_does_not() -> None:
    cluster = FakeCluster()
    lab = make_lab(cluster)
    job_id = await cluster.submit("alice", lab.script("sleep 1"))
    cluster.tick(10)
    assert (await lab.job(job_id)).state == "COMPLETED"
    cluster.tick(400)
    assert await cluster.jobs() == ()
    assert job_id in await cluster.ended([job_id])


async def test_a_job_is_ended_at_its_time_limit() -> None:
    cluster = FakeCluster()
    lab = make_lab(cluster)
    job_id = await cluster.submit("alice", lab.script("sleep 600", "--time=1"))
    cluster.tick(100)
    assert (await lab.job(job_id)).state == "TIMEOUT"
