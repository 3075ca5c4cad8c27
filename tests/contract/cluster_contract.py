"""What every Cluster keeps to, the fake one and the real one.

A test module makes a class of its own from ClusterContract and gives it a fixture
`lab`. Nothing here knows how the cluster is asked.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from time import time
from typing import TypeVar

import pytest

from kqi_hub.domain.errors import ClusterRefused, InvalidInput, NoSuchJob, NotYourJob
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.ports import BatchScript, Cluster

T = TypeVar("T")
Act = Callable[[], Awaitable[None]]
UNKNOWN_ID = 66_000_000
_numbers = count(1)


@dataclass(frozen=True)
class Lab:
    """A cluster with two people on it, and a way to let time pass there."""

    cluster: Cluster
    person: str
    other: str
    account: str
    partition: str
    chdir: str
    now: Callable[[], float]
    wait: Callable[[float], Awaitable[None]]
    patience_s: float = 30.0

    def script(
        self, body: str, *options: str, name: str = "", comment: str = ""
    ) -> BatchScript:
        """Make a script with a name that no other job has."""
        lines = [
            "#!/bin/sh",
            f"#SBATCH --account={self.account}",
            f"#SBATCH --partition={self.partition}",
            "#SBATCH --output=/dev/null",
            "#SBATCH --mem=10",
            *(f"#SBATCH {option}" for option in options),
            body,
            "",
        ]
        unique = name or f"kqi-{int(time())}-{next(_numbers)}"
        return BatchScript(unique, "\n".join(lines), self.chdir, comment)

    async def job(self, job_id: int) -> Job:
        """Return the job as the controller tells it now."""
        (job,) = (job for job in await self.cluster.jobs() if job.job_id == job_id)
        return job

    async def in_state(self, job_id: int, *states: str) -> Job:
        """Wait until the job is in one of the states."""

        async def look() -> Job | None:
            job = await self.job(job_id)
            return job if job.state in states else None

        return await self.eventually(look, f"job {job_id} never was {states}")

    async def recorded(self, job_id: int) -> EndedJob:
        """Wait until accounting says that the job has ended."""

        async def look() -> EndedJob | None:
            return (await self.cluster.ended([job_id])).get(job_id)

        return await self.eventually(look, f"job {job_id} never ended in accounting")

    async def eventually(
        self, look: Callable[[], Awaitable[T | None]], complaint: str
    ) -> T:
        """Look again and again, until there is something to return."""
        until = self.now() + self.patience_s
        while self.now() < until:
            if (found := await look()) is not None:
                return found
            await self.wait(0.3)
        raise AssertionError(complaint)


async def submit(lab: Lab, body: str = "sleep 120", *options: str) -> int:
    """Submit as the lab's person."""
    return await lab.cluster.submit(lab.person, lab.script(body, *options))


class ClusterContract:
    """The tests; collected only through a class that brings `lab`."""

    async def test_the_version_is_a_release_number(self, lab: Lab) -> None:
        major, minor, *_ = (await lab.cluster.version()).split(".")
        assert major.isdecimal()
        assert minor.isdecimal()

    async def test_nodes_and_queues_name_each_other(self, lab: Lab) -> None:
        nodes = {node.name: node for node in await lab.cluster.nodes()}
        partitions = await lab.cluster.partitions()
        assert lab.partition in {partition.name for partition in partitions}
        for partition in partitions:
            assert partition.nodes
            for name in partition.nodes:
                assert partition.name in nodes[name].partitions

    async def test_every_node_has_a_state_and_a_size(self, lab: Lab) -> None:
        for node in await lab.cluster.nodes():
            assert node.state == node.state.lower() != ""
            assert 0 <= node.cpus_used <= node.cpus
            assert node.memory_mb > 0

    async def test_every_qos_is_there_by_its_name(self, lab: Lab) -> None:
        names = [one.name for one in await lab.cluster.qos()]
        assert {"normal", "high"} <= set(names)
        assert len(names) == len(set(names))

    async def test_a_person_is_associated_with_the_account(self, lab: Lab) -> None:
        known = {(one.account, one.user) for one in await lab.cluster.associations()}
        assert {(lab.account, ""), (lab.account, lab.person)} <= known

    async def test_a_submitted_job_is_listed_as_it_was_asked_for(
        self, lab: Lab
    ) -> None:
        before = int(lab.now())
        script = lab.script("sleep 120", "--time=5", comment="kqi: 1 | two")
        job_id = await lab.cluster.submit(lab.person, script)
        job = await lab.job(job_id)
        assert (job.name, job.user, job.account) == (
            script.name,
            lab.person,
            lab.account,
        )
        assert (job.partition, job.comment) == (lab.partition, "kqi: 1 | two")
        assert (job.time_limit_s, job.nodes, job.array_id) == (300, 1, None)
        assert job.submitted_at is not None
        assert before - 2 <= job.submitted_at <= lab.now() + 2
        await lab.cluster.cancel(lab.person, [job_id])

    async def test_a_running_job_tells_where_and_until_when(self, lab: Lab) -> None:
        job_id = await submit(lab, "sleep 120", "--time=5")
        job = await lab.in_state(job_id, "RUNNING")
        assert job.starts_at is not None
        assert job.node_list
        assert not job.reason
        assert not job.is_waiting
        await lab.cluster.cancel(lab.person, [job_id])

    async def test_ids_of_jobs_are_unique(self, lab: Lab) -> None:
        ids = [job.job_id for job in await lab.cluster.jobs()]
        assert len(ids) == len(set(ids))

    async def test_a_job_is_found_by_its_name_for_its_owner_only(
        self, lab: Lab
    ) -> None:
        script = lab.script("sleep 120", "--hold")
        first = await lab.cluster.submit(lab.person, script)
        second = await lab.cluster.submit(lab.person, script)
        since = lab.now() - 3600
        assert await lab.cluster.find(lab.person, script.name, since) == (first, second)
        assert await lab.cluster.find(lab.other, script.name, since) == ()
        assert await lab.cluster.find(lab.person, script.name.upper(), since) == ()
        assert await lab.cluster.find(lab.person, f"{script.name}x", since) == ()
        await lab.cluster.cancel(lab.person, [first, second])

    async def test_a_job_that_has_ended_is_found_by_its_name_too(
        self, lab: Lab
    ) -> None:
        script = lab.script("sleep 0")
        job_id = await lab.cluster.submit(lab.person, script)
        await lab.recorded(job_id)
        found = await lab.cluster.find(lab.person, script.name, lab.now() - 3600)
        assert found == (job_id,)

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "a b",
            "a|b",
            "a,b",
            "a'b",
            "a\nb",
            "x%",
            "ü",
            "a\0b",
            "a*",
            "x" * 129,
            "$(id)",
        ],
    )
    async def test_a_name_that_slurm_would_rewrite_is_not_looked_up(
        self, lab: Lab, name: str
    ) -> None:
        with pytest.raises(InvalidInput):
            await lab.cluster.find(lab.person, name, 0)
        with pytest.raises(InvalidInput):
            await lab.cluster.find(name, "job", 0)

    async def test_a_held_job_waits_until_it_is_released(self, lab: Lab) -> None:
        job_id = await submit(lab, "sleep 120", "--hold")
        await lab.wait(2)
        job = await lab.job(job_id)
        assert (job.state, job.reason) == ("PENDING", "JobHeldUser")
        assert job.is_waiting
        await lab.cluster.release(lab.person, job_id)
        await lab.in_state(job_id, "RUNNING")
        await lab.cluster.cancel(lab.person, [job_id])

    async def test_hold_keeps_a_waiting_job_from_starting(self, lab: Lab) -> None:
        job_id = await submit(lab, "sleep 120", "--hold")
        await lab.cluster.hold(lab.person, job_id)
        assert (await lab.job(job_id)).state == "PENDING"
        await lab.cluster.cancel(lab.person, [job_id])

    async def test_a_cancelled_job_has_ended_and_cancelling_twice_is_no_error(
        self, lab: Lab
    ) -> None:
        job_id = await submit(lab)
        await lab.in_state(job_id, "RUNNING")
        await lab.cluster.cancel(lab.person, [job_id])
        job = await lab.in_state(job_id, "CANCELLED")
        assert job.is_over
        await lab.cluster.cancel(lab.person, [job_id])
        assert (await lab.recorded(job_id)).state == "CANCELLED"

    async def test_several_jobs_are_cancelled_at_once(self, lab: Lab) -> None:
        ids = [await submit(lab, "sleep 120", "--hold") for _ in range(3)]
        await lab.cluster.cancel(lab.person, [*ids, UNKNOWN_ID])
        for job_id in ids:
            await lab.in_state(job_id, "CANCELLED")

    async def test_accounting_tells_how_a_job_ended(self, lab: Lab) -> None:
        failed, good = await submit(lab, "exit 3"), await submit(lab, "sleep 0")
        end = await lab.recorded(failed)
        assert (end.job_id, end.state) == (failed, "FAILED")
        assert (end.exit_code, end.signal) == (3, 0)
        assert end.started_at is not None
        assert end.started_at <= end.ended_at <= lab.now() + 2
        assert (await lab.recorded(good)).state == "COMPLETED"

    async def test_accounting_says_nothing_of_live_and_unknown_jobs(
        self, lab: Lab
    ) -> None:
        job_id = await submit(lab)
        await lab.in_state(job_id, "RUNNING")
        assert await lab.cluster.ended([job_id, UNKNOWN_ID]) == {}
        assert await lab.cluster.ended([]) == {}
        await lab.cluster.cancel(lab.person, [job_id])

    async def test_a_requeued_job_keeps_its_id_and_has_not_ended(
        self, lab: Lab
    ) -> None:
        job_id = await submit(lab)
        await lab.in_state(job_id, "RUNNING")
        await lab.cluster.requeue(lab.person, job_id)
        job = await lab.in_state(job_id, "PENDING")
        assert job.is_waiting
        assert await lab.cluster.ended([job_id]) == {}
        await lab.cluster.cancel(lab.person, [job_id])

    async def test_a_waiting_job_cannot_be_requeued(self, lab: Lab) -> None:
        job_id = await submit(lab, "sleep 120", "--hold")
        with pytest.raises(ClusterRefused, match="pending"):
            await lab.cluster.requeue(lab.person, job_id)
        await lab.cluster.cancel(lab.person, [job_id])

    async def test_a_signal_reaches_the_script(self, lab: Lab) -> None:
        job_id = await submit(lab)
        await lab.in_state(job_id, "RUNNING")
        await lab.wait(1)
        await lab.cluster.signal(lab.person, job_id, "USR1")
        end = await lab.recorded(job_id)
        assert (end.state, end.signal) == ("FAILED", 10)

    async def test_people_can_only_shorten_the_time_of_a_running_job(
        self, lab: Lab
    ) -> None:
        job_id = await submit(lab, "sleep 120", "--time=10")
        await lab.in_state(job_id, "RUNNING")
        await lab.cluster.set_time_limit(lab.person, job_id, 150)
        assert (await lab.job(job_id)).time_limit_s == 180
        with pytest.raises(ClusterRefused, match="denied") as caught:
            await lab.cluster.set_time_limit(lab.person, job_id, 3600)
        assert "shorten" in caught.value.hint
        assert (await lab.job(job_id)).time_limit_s == 180
        await lab.cluster.cancel(lab.person, [job_id])

    async def test_somebody_elses_job_is_not_touched(self, lab: Lab) -> None:
        job_id = await submit(lab, "sleep 120", "--hold")
        cluster, other = lab.cluster, lab.other
        acts: tuple[Act, ...] = (
            lambda: cluster.cancel(other, [job_id]),
            lambda: cluster.signal(other, job_id, "USR1"),
            lambda: cluster.release(other, job_id),
            lambda: cluster.hold(other, job_id),
            lambda: cluster.requeue(other, job_id),
        )
        for act in acts:
            with pytest.raises(NotYourJob):
                await act()
        with pytest.raises(ClusterRefused):
            await cluster.set_time_limit(other, job_id, 60)
        assert (await lab.job(job_id)).state == "PENDING"
        await cluster.cancel(lab.person, [job_id])

    async def test_an_unknown_job_is_reported_as_such(self, lab: Lab) -> None:
        cluster, person = lab.cluster, lab.person
        acts: tuple[Act, ...] = (
            lambda: cluster.signal(person, UNKNOWN_ID, "USR1"),
            lambda: cluster.hold(person, UNKNOWN_ID),
            lambda: cluster.release(person, UNKNOWN_ID),
            lambda: cluster.requeue(person, UNKNOWN_ID),
            lambda: cluster.set_time_limit(person, UNKNOWN_ID, 60),
        )
        for act in acts:
            with pytest.raises(NoSuchJob):
                await act()
        await cluster.cancel(person, [UNKNOWN_ID])

    @pytest.mark.parametrize(
        ("option", "reason"),
        [
            ("--partition=nosuch", "Invalid partition name specified"),
            ("--account=nosuch", "Invalid account or account/partition combination"),
        ],
    )
    async def test_a_refusal_keeps_slurms_reason_and_says_what_to_do(
        self, lab: Lab, option: str, reason: str
    ) -> None:
        with pytest.raises(ClusterRefused) as caught:
            await submit(lab, "sleep 1", option)
        assert reason in caught.value.reason
        assert caught.value.hint
