"""Notebooks: what a person keeps, and the sessions that run one after the other.

A notebook is a named thing with its choices. Starting it makes a session: one Slurm
job, followed from the wish to its end. A notebook has at most one live session.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

# JupyterHub's name for the server of notebook 12 is `nb-12`: a notebook may be renamed.
SERVER_PREFIX: Final = "nb-"
LONGEST_NAME: Final = 30


class Ui(StrEnum):
    """What opens first; both are there."""

    LAB = "lab"
    NOTEBOOK = "tree"


class Staging(StrEnum):
    """How a dataset gets into a job."""

    LINK = "link"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class Shape:
    """How much of a cluster a job takes; `gpu_type` empty means any."""

    cpus: int = 1
    memory_mb: int = 1024
    gpus: int = 0
    gpu_type: str = ""


@dataclass(frozen=True, slots=True)
class Repository:
    """A Git repository and what to check out of it; an empty `ref` is its default."""

    url: str
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything that a person chooses for a notebook.

    `lifetime_s` None means until the queue's own limit. With a `preset`, queue, shape
    and lifetime are the operator's, read again at each start.
    """

    name: str
    tenant: str
    queue: str
    shape: Shape = Shape()
    lifetime_s: int | None = 8 * 3600
    preset: str = ""
    ui: Ui = Ui.LAB
    environment: str = ""
    repository: Repository | None = None
    variables: tuple[tuple[str, str], ...] = ()
    command: str = ""
    memo: str = ""
    # A dataset to work on, as it is when a session begins; it is never locked by that.
    dataset: int | None = None
    staging: Staging = Staging.LINK
    # Runs of the person's whose results are linked into the workspace (K-145).
    parents: tuple[int, ...] = ()
    # Whether Git has the person's stored token in the session, for that repository.
    may_push: bool = False


class Phase(StrEnum):
    """How far a session has come; the order is the order of a start."""

    ASKED = "asked"
    QUEUED = "queued"
    NODE = "node"
    ENVIRONMENT = "environment"
    SERVER = "server"
    READY = "ready"


class Cause(StrEnum):
    """Why a session ended."""

    STOPPED = "stopped"  # the person pressed Stop, or logged out and chose so
    FINISHED = "finished"  # the server was shut down from inside
    IDLE = "idle"
    LIFETIME = "lifetime"
    FAILED = "failed"  # before or after it was ready; `detail` says more
    OUT_OF_MEMORY = "out-of-memory"
    NODE_FAILED = "node-failed"
    KILLED = "killed"  # cancelled outside the portal
    REFUSED = "refused"  # Slurm did not take it; `detail` is Slurm's reason
    LOST = "lost"  # neither Slurm nor accounting knows of it


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a notebook.

    `key` is random and travels in the job's name, so that the job is found again
    whatever happened to the answer of sbatch. `chosen` are the choices as they were
    at the start. `reached` has the time of each phase reached so far.
    """

    id: int
    notebook_id: int
    owner: str
    key: str
    chosen: Choices
    asked_at: float
    changed_at: float
    job_id: int | None = None
    node: str = ""
    port: int | None = None
    reached: tuple[tuple[Phase, float], ...] = ()
    stopping: Cause | None = None
    ended_at: float | None = None
    cause: Cause | None = None
    detail: str = ""
    exit_code: int | None = None
    # What the idle rule saw when it ended the session, such as ("kernels_busy", 0).
    seen: tuple[tuple[str, int], ...] = ()

    @property
    def job_name(self) -> str:
        """Return the job's name at Slurm."""
        return f"{SERVER_PREFIX}{self.notebook_id}-{self.key}"

    @property
    def server(self) -> str:
        """Return JupyterHub's name of the server."""
        return f"{SERVER_PREFIX}{self.notebook_id}"

    @property
    def is_live(self) -> bool:
        """Tell whether it has not ended."""
        return self.ended_at is None

    @property
    def phase(self) -> Phase:
        """Return the furthest phase reached."""
        order = list(Phase)
        found = [phase for phase, _ in self.reached]
        return max(found, key=order.index, default=Phase.ASKED)

    @property
    def began_at(self) -> float | None:
        """Return when its job began to run, None while it waits or if it never did."""
        waiting = (Phase.ASKED, Phase.QUEUED)
        return min((at for one, at in self.reached if one not in waiting), default=None)

    def ran_s(self, now: float) -> float | None:
        """Return for how long its job has run until now, or did before it ended."""
        began = self.began_at
        if began is None:
            return None
        return max(0.0, (now if self.ended_at is None else self.ended_at) - began)

    @property
    def is_ready(self) -> bool:
        """Tell whether its pages can be opened."""
        return self.is_live and self.phase is Phase.READY


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook with its latest session, if it ever had one."""

    id: int
    owner: str
    choices: Choices
    created_at: float
    changed_at: float
    is_favourite: bool = False
    session: Session | None = None

    @property
    def is_live(self) -> bool:
        """Tell whether a session of it runs, waits or starts."""
        return self.session is not None and self.session.is_live


@dataclass(frozen=True, slots=True)
class Preset:
    """A ready-made choice that an operator offers by a short name."""

    name: str
    title: str
    queue: str
    shape: Shape
    lifetime_s: int | None
    # Tenants that may use it; empty means all.
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotebookRules:
    """What the site decides about notebooks."""

    # What opens first where nobody says otherwise (N-3).
    ui: Ui = Ui.LAB
    default_lifetime_s: int = 8 * 3600
    longest_lifetime_s: int = 100 * 3600
    # Tenants whose notebooks may run without a lifetime of their own (K-131, K-164).
    unlimited_tenants: tuple[str, ...] = ()
    idle_stop_s: int = 3600  # 0: never
    idle_warn_s: int = 600
    end_warn_s: int = 600
    most_per_person: int = 50
    presets: tuple[Preset, ...] = field(default=())

    def warned_s(self, lifetime_s: int | None) -> int:
        """Return how long before its end a session is warned: half its time at most.

        A warning as long as the lifetime would come with the job's first breath.
        """
        if lifetime_s is None:
            return self.end_warn_s
        return max(1, min(self.end_warn_s, lifetime_s // 2))
