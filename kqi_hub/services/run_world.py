"""What submitting, following and collecting runs needs of the world."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.notebook_ports import SecretFiles
from kqi_hub.domain.ports import BatchScript, ClusterControl, ClusterReader
from kqi_hub.domain.run_ports import OrderParts, RunFolders, RunStore
from kqi_hub.domain.runs import Run


class TaskReader(Protocol):
    """Accounting of arrays; raises as ClusterReader does."""

    async def ended_tasks(
        self, array_ids: Sequence[int]
    ) -> Mapping[str, EndedJob | None]:
        """Return what accounting says has ended of arrays, by 12_3 or 12_[4-9%2]."""


class Slurm(ClusterControl, ClusterReader, TaskReader, Protocol):
    """Slurm: submit, cancel, find a name again, and what accounting says."""


class Picture(Protocol):
    """What the worker has stored. Every method blocks."""

    def freshness(self) -> Freshness:
        """Return how old it is."""

    def known_jobs(
        self, job_ids: Collection[int], names: Collection[str] = ()
    ) -> tuple[Job, ...]:
        """Return the jobs of these ids or names, live or ended, that it has."""

    def live_jobs(self, user: str | None = None) -> tuple[Job, ...]:
        """Return the jobs that have not ended."""

    def request_refresh(self, asked_at: float) -> None:
        """Ask the worker for a fresh look."""


@dataclass(frozen=True, slots=True)
class RunTimes:
    """How patient submitting and settling are; seconds."""

    # Longer than a call of the door can go on after whoever made it is gone.
    lease: float = 180.0
    # Between tries while Slurm, the door or the store cannot be reached.
    pause: float = 10.0
    # Before each of the questions that both must say that a job does not exist.
    settle: float = 3.0
    # So long a new run is left to the process in which it was asked for.
    young: float = 5.0
    # A result may be seen so much later than its job's end: shared file systems.
    late: float = 30.0
    # slurmdbd may know a job later than slurmctld has forgotten it.
    grace: float = 600.0
    # A job that waited and is gone for so long may have been lost by slurmctld.
    forgotten: float = 60.0
    # Between two questions to accounting, and between two cancellations of a job.
    ask_every: float = 30.0
    # After this, a run whose folder cannot be read ends without its results.
    give_up: float = 3600.0


@dataclass(frozen=True)
class RunWorld:
    """Stores, Slurm, people's files, and the texts of script and order.

    `by` names this process in leases: no other one ever had it.
    """

    runs: RunStore
    slurm: Slurm
    picture: Picture
    secrets: SecretFiles
    outputs: RunFolders
    # Make a person's folder on scratch with what belongs into it, where it lacks.
    folders: Callable[[str], Awaitable[None]]
    # The script of a run, or of an array's runs. Blocks.
    script: Callable[[tuple[Run, ...]], BatchScript]
    # Have the dataset made ready and gather what else the order of a job says.
    parts: Callable[[tuple[Run, ...]], Awaitable[OrderParts]]
    # The order's text. Blocks.
    order: Callable[[OrderParts], str]
    # Let go of what a run that has ended held.
    release: Callable[[Run], Awaitable[None]]
    clock: Callable[[], float]
    by: str
    times: RunTimes = RunTimes()
