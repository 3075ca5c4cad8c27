"""A reader of Slurm whose every answer a test decides, faults included."""

from collections.abc import Mapping, Sequence

from kqi_hub.domain.cluster import Association, Node, Partition, Qos
from kqi_hub.domain.job import EndedJob, Job


def make_job(job_id: int, state: str = "RUNNING", **more: object) -> Job:
    """Make a job of alice with little to say about."""
    job = Job(job_id, f"job{job_id}", "alice", "vision", "cpu", "normal", state, "")
    return Job(**{**{name: getattr(job, name) for name in Job.__slots__}, **more})


def make_node(name: str = "cpu01") -> Node:
    """Make an idle node."""
    return Node(name, "idle", (), ("cpu",), 16, 0, 64000, 0)


class ScriptedReader:
    """Answer as told; `fault` breaks the controller, `accounting_fault` sacct."""

    def __init__(self, *jobs: Job) -> None:
        self.job_list: tuple[Job, ...] = jobs
        self.records: dict[int, EndedJob] = {}
        self.fault: Exception | None = None
        self.jobs_fault: Exception | None = None
        self.accounting_fault: Exception | None = None
        self.calls: list[str] = []
        self.asked_about: list[tuple[int, ...]] = []

    async def version(self) -> str:
        return "22.05.8"

    async def nodes(self) -> tuple[Node, ...]:
        self._called("nodes", self.fault)
        return (make_node(),)

    async def partitions(self) -> tuple[Partition, ...]:
        self._called("partitions", self.fault)
        return ()

    async def jobs(self) -> tuple[Job, ...]:
        self._called("jobs", self.fault or self.jobs_fault)
        return self.job_list

    async def qos(self) -> tuple[Qos, ...]:
        return ()

    async def associations(self) -> tuple[Association, ...]:
        return ()

    async def ended(self, job_ids: Sequence[int]) -> Mapping[int, EndedJob]:
        self.asked_about.append(tuple(job_ids))
        self._called("ended", self.accounting_fault)
        return {i: self.records[i] for i in job_ids if i in self.records}

    async def find(self, user: str, name: str, since: float) -> tuple[int, ...]:
        return ()

    def _called(self, name: str, fault: Exception | None) -> None:
        self.calls.append(name)
        if fault is not None:
            raise fault
