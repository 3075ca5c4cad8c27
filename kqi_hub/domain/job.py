"""A Slurm job as the portal sees it, and what its states mean."""

from dataclasses import dataclass
from typing import Final

# Slurm's own words. A state that is in neither set is new to us: it counts as
# live, because forgetting a live job costs a person more than showing a dead one.
OVER_STATES: Final = frozenset(
    {
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "REVOKED",
        "TIMEOUT",
    }
)
WAITING_STATES: Final = frozenset(
    {"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD"}
)


@dataclass(frozen=True, slots=True)
class Job:
    """One job or array task, times in epoch seconds, sizes in MB and whole units.

    For a job that waits, `starts_at` is Slurm's expectation and None when it has none.
    `job_id` is unique. Waiting tasks of an array that Slurm has not told apart yet are
    one job, whose `task` names them all, such as 1-4,6%2.
    """

    job_id: int
    name: str
    user: str
    account: str
    partition: str
    qos: str
    state: str
    reason: str
    array_id: int | None = None
    task: str | None = None
    submitted_at: int | None = None
    starts_at: int | None = None
    ends_at: int | None = None
    time_limit_s: int | None = None
    priority: int = 0
    nodes: int = 0
    cpus: int = 0
    memory: str = ""
    gres: str = ""
    node_list: str = ""
    dependency: str = ""
    comment: str = ""

    @property
    def is_over(self) -> bool:
        """Tell whether Slurm says that the job has ended."""
        return self.state in OVER_STATES

    @property
    def is_waiting(self) -> bool:
        """Tell whether the job still waits for its first or next start."""
        return self.state in WAITING_STATES


@dataclass(frozen=True, slots=True)
class EndedJob:
    """What accounting says of a job that has ended."""

    job_id: int
    state: str
    started_at: int | None
    ended_at: int
    exit_code: int
    signal: int
    # As accounting keeps it: quotes and backslashes are rewritten there.
    name: str = ""
