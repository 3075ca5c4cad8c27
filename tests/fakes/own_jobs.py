"""Jobs of everybody in a picture, and a Slurm that notes what is done to them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from kqi_hub.domain.errors import ClusterError
from kqi_hub.domain.job import Job
from kqi_hub.domain.own_jobs import JobRun
from kqi_hub.domain.ports import BatchScript
from kqi_hub.services.own_jobs import OwnJobs
from kqi_hub.services.queues import Queues
from tests.fakes.queues import HOUR, job
from tests.fakes.snapshot_store import FakeSnapshotStore

KEY = "a" * 26


@dataclass
class NotingControl:
    """A ClusterControl that does nothing but remember; `fault` is raised while set."""

    done: list[tuple[str, str, str]] = field(default_factory=list)
    fault: ClusterError | None = None

    async def submit(self, person: str, script: BatchScript) -> int:
        raise NotImplementedError

    async def cancel(self, person: str, job_ids: Sequence[int | str]) -> None:
        for job_id in job_ids:
            self._note("cancel", person, str(job_id))

    async def signal(self, person: str, job_id: int, name: str) -> None:
        raise NotImplementedError

    async def hold(self, person: str, job_id: int | str) -> None:
        self._note("hold", person, str(job_id))

    async def release(self, person: str, job_id: int | str) -> None:
        self._note("release", person, str(job_id))

    async def requeue(self, person: str, job_id: int) -> None:
        raise NotImplementedError

    async def set_time_limit(self, person: str, job_id: int, seconds: int) -> None:
        raise NotImplementedError

    def _note(self, what: str, person: str, job_id: str) -> None:
        if self.fault is not None:
            raise self.fault
        self.done.append((what, person, job_id))


@dataclass
class FakeJobRuns:
    """The runs of jobs, by a job's id and key."""

    known: dict[tuple[int, str], JobRun] = field(
        default_factory=lambda: {(61, KEY): JobRun(12, "training/12")}
    )

    def of_jobs(
        self, job_ids: Collection[int], keys: Collection[str]
    ) -> Mapping[int, JobRun]:
        return {
            job_id: run
            for (job_id, key), run in self.known.items()
            if job_id in job_ids and key in keys
        }


@dataclass
class FakeOwnJobs:
    """One's jobs over the store of the queues' picture."""

    control: NotingControl = field(default_factory=NotingControl)
    runs: FakeJobRuns = field(default_factory=FakeJobRuns)

    def furnish(self, store: FakeSnapshotStore, person: str) -> None:
        """Give a person, and nobody else, what the examples of the routes speak of."""
        for job_id, task, reason in (
            (1203, "3", "Priority"),
            (1204, "4", "JobHeldUser"),
        ):
            store.known[job_id] = job(
                job_id, person, "cpu", "PENDING",
                array_id=12, task=task, reason=reason,
            )  # fmt: skip
        store.coming = []

    def own_jobs(self, store: FakeSnapshotStore, queues: Queues) -> OwnJobs:
        """Return the service."""
        return OwnJobs(store, self.runs, self.control, queues)


def furnish(store: FakeSnapshotStore, now: float, person: str = "mia") -> None:
    """Add ended jobs, an array and jobs of the portal's own kinds to the picture."""
    began = int(now) - 5 * HOUR
    ran = {"submitted_at": began, "starts_at": began}
    for one in (
        job(60, person, "cpu", "COMPLETED", name="by-hand",
            ends_at=began + HOUR, **ran),
        job(61, person, "a100", "FAILED", name=f"training-12-{KEY}",
            ends_at=began + 600, **ran),
        job(62, person, "cpu", "TIMEOUT", name=f"nb-3-{KEY}",
            ends_at=began + 60, **ran),
        job(63, "max", "cpu", "COMPLETED", name="secret", ends_at=began + 60, **ran),
        *array(person, began, int(now)),
    ):  # fmt: skip
        store.known[one.job_id] = one
    store.coming = []


def array(person: str, began: int, now: int) -> tuple[Job, ...]:
    """Return array 200: task 0 done, 1 running, 2 held, 3 to 9 not told apart."""
    about = {"name": f"preprocessings-5-{KEY}", "array_id": 200, "submitted_at": began}
    return (
        job(201, person, "cpu", "COMPLETED", task="0", starts_at=began,
            ends_at=began + 60, **about),
        job(202, person, "cpu", "RUNNING", task="1", starts_at=now - 90,
            ends_at=now + HOUR, node_list="cpu01", **about),
        job(203, person, "cpu", "PENDING", task="2", reason="JobHeldUser", **about),
        job(200, person, "cpu", "PENDING", task="3-9", reason="Priority", **about),
    )  # fmt: skip
