"""The cluster as the portal sees it: nodes, queues, who may use what, one reading."""

from dataclasses import dataclass

from kqi_hub.domain.job import Job


@dataclass(frozen=True, slots=True)
class GpuCount:
    """GPUs of one type on one node."""

    type: str
    total: int
    used: int


@dataclass(frozen=True, slots=True)
class Node:
    """One compute node; `state` is Slurm's base state in lower case, flags apart."""

    name: str
    state: str
    flags: tuple[str, ...]
    partitions: tuple[str, ...]
    cpus: int
    cpus_used: int
    memory_mb: int
    memory_used_mb: int
    gpus: tuple[GpuCount, ...] = ()
    reason: str = ""
    features: tuple[str, ...] = ()

    @property
    def is_down(self) -> bool:
        """Tell whether no new job can start here."""
        gone = {"down", "error", "future", "unknown", "fail"}
        closed = {"DRAIN", "NOT_RESPONDING", "FAIL", "MAINTENANCE", "REBOOT_ISSUED"}
        return self.state in gone or bool(closed & set(self.flags))


@dataclass(frozen=True, slots=True)
class Partition:
    """One queue and its limits; None means no limit."""

    name: str
    state: str
    nodes: tuple[str, ...]
    is_default: bool
    max_time_s: int | None
    default_time_s: int | None
    max_nodes: int | None
    exclusive: bool
    shared: bool
    allow_accounts: tuple[str, ...] | None = None
    deny_accounts: tuple[str, ...] = ()
    allow_qos: tuple[str, ...] | None = None
    qos: str = ""
    max_memory_per_node_mb: int | None = None
    billing_weights: str = ""

    @property
    def is_up(self) -> bool:
        """Tell whether jobs of this queue may start."""
        return self.state == "UP"


@dataclass(frozen=True, slots=True)
class Association:
    """A person (or, with an empty user, an account) and the limits Slurm holds."""

    account: str
    user: str
    partition: str
    parent: str
    qos: tuple[str, ...]
    default_qos: str
    grp_tres: tuple[tuple[str, int], ...]
    max_tres_per_job: tuple[tuple[str, int], ...]
    grp_tres_mins: tuple[tuple[str, int], ...]
    max_jobs: int | None
    max_submit: int | None
    max_time_s: int | None


@dataclass(frozen=True, slots=True)
class Qos:
    """A quality of service of Slurm with the limits that it sets; empty: none.

    Of a job that has a node, limits of one job and of one node are the same.
    """

    name: str
    flags: tuple[str, ...] = ()
    grp_tres: tuple[tuple[str, int], ...] = ()
    max_tres_per_job: tuple[tuple[str, int], ...] = ()
    max_tres_per_node: tuple[tuple[str, int], ...] = ()
    max_tres_per_user: tuple[tuple[str, int], ...] = ()
    max_tres_per_account: tuple[tuple[str, int], ...] = ()
    max_jobs_per_user: int | None = None
    max_submit_per_user: int | None = None
    max_time_s: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One coherent look at the whole cluster."""

    taken_at: float
    nodes: tuple[Node, ...]
    partitions: tuple[Partition, ...]
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the stored picture is, and why, if the last look failed."""

    sequence: int
    taken_at: float | None
    tried_at: float | None
    error: str = ""

    def age_s(self, now: float) -> float | None:
        """Return the picture's age in seconds, None when there is none yet."""
        return None if self.taken_at is None else max(0.0, now - self.taken_at)
