"""A Slurm in memory that keeps state, ages jobs and refuses in Slurm's own words.

The contract in tests/contract/cluster_contract.py holds for it and for the real one.
"""

import re
from collections.abc import Mapping, Sequence

from kqi_hub.domain.cluster import Association, Node, Partition, Qos
from kqi_hub.domain.errors import ClusterError, InvalidInput
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.ports import DoorAnswer
from kqi_hub.slurm.control import DoorControl
from tests.fakes.slurm_programs import MIN_JOB_AGE_S, FakeSlurmPrograms

_LOOKABLE = re.compile(r"[A-Za-z0-9_.-]{1,128}")


class FakeCluster(DoorControl):
    """The port Cluster; time stands still until `tick`.

    `fault` is raised by every call while set, `accounting_fault` by accounting only.
    `programs` holds the state, and can lose the answers of submissions.
    """

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        super().__init__(self)
        self.programs = FakeSlurmPrograms(now)
        self.fault: ClusterError | None = None
        self.accounting_fault: ClusterError | None = None
        self.calls: list[str] = []

    @property
    def now(self) -> float:
        return self.programs.now

    def tick(self, seconds: float) -> None:
        """Let time pass and jobs grow older."""
        self.programs.tick(seconds)

    async def run(
        self, verb: str, person: str, arguments: Mapping[str, object]
    ) -> DoorAnswer:
        """Be the door that DoorControl goes through."""
        self._called(verb)
        return await self.programs.run(verb, person, arguments)

    async def version(self) -> str:
        self._called("version")
        return "22.05.8"

    async def nodes(self) -> tuple[Node, ...]:
        self._called("nodes")
        return tuple(
            Node(f"{name}01", "idle", (), (name,), 16, 0, 64_000, 0)
            for name in self.programs.max_time_s
        )

    async def partitions(self) -> tuple[Partition, ...]:
        self._called("partitions")
        return tuple(
            Partition(
                name, "UP", (f"{name}01",), name == "jupyter", limit, 3600, None, False,
                False,
            )
            for name, limit in self.programs.max_time_s.items()
        )  # fmt: skip

    async def jobs(self) -> tuple[Job, ...]:
        self._called("jobs")
        jobs = (run.job for run in self.programs.runs.values())
        return tuple(job for job in jobs if self._is_remembered(job))

    async def qos(self) -> tuple[Qos, ...]:
        self._called("qos")
        return (Qos("normal"), Qos("high", max_jobs_per_user=4))

    async def associations(self) -> tuple[Association, ...]:
        self._called("associations")
        nothing = ((), "", (), (), (), None, None, None)
        people = self.programs.people
        accounts = dict.fromkeys(a for tenants in people.values() for a in tenants)
        members = [(a, user) for user, tenants in people.items() for a in tenants]
        return (
            *(Association(account, "", "", "root", *nothing) for account in accounts),
            *(
                Association(account, user, "", "", *nothing)
                for account, user in members
            ),
        )

    async def ended(self, job_ids: Sequence[int]) -> Mapping[int, EndedJob]:
        self._called("ended")
        if self.accounting_fault is not None:
            raise self.accounting_fault
        runs = (self.programs.runs.get(job_id) for job_id in job_ids)
        return {run.job.job_id: run.ended for run in runs if run and run.job.is_over}

    async def find(self, user: str, name: str, since: float) -> tuple[int, ...]:
        for text in (user, name):
            if _LOOKABLE.fullmatch(text) is None:
                raise InvalidInput(f"{text!r} cannot be looked up in Slurm.")
        self._called("find")
        jobs = (run.job for run in self.programs.runs.values())
        found = [job for job in jobs if (job.user, job.name) == (user, name)]
        live = [job for job in found if self._is_remembered(job)]
        if self.accounting_fault is None:
            live = [job for job in found if job in live or (job.ends_at or 0) >= since]
        elif not live:
            raise self.accounting_fault
        return tuple(job.job_id for job in live)

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.fault is not None:
            raise self.fault

    def _is_remembered(self, job: Job) -> bool:
        return not job.is_over or (job.ends_at or 0) + MIN_JOB_AGE_S > self.now
