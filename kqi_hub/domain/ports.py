"""What the services ask of the world outside, as narrow protocols."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kqi_hub.domain.cluster import (
    Association,
    Freshness,
    Node,
    Partition,
    Qos,
    Reading,
)
from kqi_hub.domain.job import EndedJob, Job


@dataclass(frozen=True, slots=True)
class BatchScript:
    """A script ready for sbatch; `name` carries the key that finds it again."""

    name: str
    text: str
    chdir: str
    comment: str = ""
    # Written as the person, for nobody else to read, before sbatch runs: see
    # SecretFiles. Empty: no such file.
    secret: str = ""


class ClusterReader(Protocol):
    """Look at Slurm; each call is one question for everybody.

    Raises ClusterUnreachable or ClusterTimedOut when there is no answer,
    ClusterError when the answer cannot be read. Never returns a part of one.
    """

    async def version(self) -> str:
        """Return Slurm's version, such as 22.05.8."""

    async def nodes(self) -> tuple[Node, ...]:
        """Return every node."""

    async def partitions(self) -> tuple[Partition, ...]:
        """Return every queue."""

    async def jobs(self) -> tuple[Job, ...]:
        """Return every job the controller remembers, ended ones included."""

    async def associations(self) -> tuple[Association, ...]:
        """Return who may use which account, with limits."""

    async def qos(self) -> tuple[Qos, ...]:
        """Return every QOS with its limits."""

    async def ended(self, job_ids: Sequence[int]) -> Mapping[int, EndedJob]:
        """Return what accounting says has ended; jobs it does not say so of lack."""

    async def find(self, user: str, name: str, since: float) -> tuple[int, ...]:
        """Return the ids of the person's jobs of exactly this name, oldest first."""


class ClusterControl(Protocol):
    """Act on Slurm as a person.

    Raises ClusterRefused with Slurm's reason, NoSuchJob, NotYourJob,
    ClusterUnreachable (nothing happened) or ClusterTimedOut (it may have).
    """

    async def submit(self, person: str, script: BatchScript) -> int:
        """Submit and return the job's id."""

    async def cancel(self, person: str, job_ids: Sequence[int | str]) -> None:
        """Cancel jobs, or tasks such as 12_3; one that has ended is no error."""

    async def signal(self, person: str, job_id: int, name: str) -> None:
        """Send a signal such as USR1 to a running job's script and steps."""

    async def hold(self, person: str, job_id: int | str) -> None:
        """Keep a waiting job from starting."""

    async def release(self, person: str, job_id: int | str) -> None:
        """Let a held job start."""

    async def requeue(self, person: str, job_id: int) -> None:
        """Stop a job and put it back into its queue."""

    async def set_time_limit(self, person: str, job_id: int, seconds: int) -> None:
        """Change a job's time limit; of a running job people can only shorten it."""


class Cluster(ClusterReader, ClusterControl, Protocol):
    """Everything that the portal asks of Slurm."""


@dataclass(frozen=True, slots=True)
class DoorAnswer:
    """What a program said that the door ran as a person."""

    exit_code: int
    stdout: str
    stderr: str
    timed_out: bool = False
    truncated: bool = False


class Door(Protocol):
    """The one privileged way to become a person.

    Raises DoorUnreachable or DoorRefused when nothing happened, DoorBroken when
    it may have.
    """

    async def run(
        self, verb: str, person: str, arguments: Mapping[str, object]
    ) -> DoorAnswer:
        """Ask for one verb of the closed list."""


class SnapshotStore(Protocol):
    """Where the worker leaves the last reading for everybody else."""

    def save(self, reading: Reading, ended: Mapping[int, EndedJob]) -> int:
        """Replace the picture in one transaction and return its sequence number.

        A live job that the reading lacks stays as it was unless `ended` has it.
        """

    def mark_failed(self, error: str, tried_at: float) -> None:
        """Keep the old picture and say why it grows old."""

    def freshness(self) -> Freshness:
        """Return how old the picture is; cheap enough to ask every second."""

    def nodes(self) -> tuple[Node, ...]:
        """Return every node of the picture."""

    def partitions(self) -> tuple[Partition, ...]:
        """Return every queue of the picture."""

    def live_jobs(self, user: str | None = None) -> tuple[Job, ...]:
        """Return the jobs that have not ended, of one person or of all."""

    def jobs(
        self, user: str | None = None, limit: int = 100, after: int | None = None
    ) -> tuple[Job, ...]:
        """Return jobs newest first, ended ones included, below the id `after`."""

    def known_jobs(
        self, job_ids: Collection[int], names: Collection[str] = ()
    ) -> tuple[Job, ...]:
        """Return the jobs of these ids or names, live or ended, that it has."""

    def request_refresh(self, asked_at: float) -> None:
        """Ask the worker for a fresh look; many requests become one."""

    def refresh_requested_at(self) -> float | None:
        """Return when the newest unanswered request was made."""

    def lost_jobs(self, seen: Reading) -> tuple[int, ...]:
        """Return ids of live jobs of the picture that the reading lacks."""
