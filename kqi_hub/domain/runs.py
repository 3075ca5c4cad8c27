"""Runs: trainings, inferences and preprocessings, from the request to what is kept.

A run is one Slurm job, or one task of an array. What was asked for never changes; its
state does, and each change is an event with its time and cause.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from kqi_hub.domain.notebooks import Shape, Staging
from kqi_hub.domain.run_use import RunUse

LONGEST_NAME: Final = 30


class RunKind(StrEnum):
    """What a run is for; the value is the first word of its job's name."""

    TRAINING = "training"
    INFERENCE = "inference"
    PREPROCESSING = "preprocessing"


class RunState(StrEnum):
    """How a run stands. The first six are live: something may still happen to it."""

    OPENED = "opened"  # done elsewhere, without a job: its results are being uploaded
    PREPARED = "prepared"  # its script is there to be submitted by hand
    ASKED = "asked"  # stored, not known to be at Slurm
    PENDING = "pending"
    RUNNING = "running"
    COLLECTING = "collecting"  # its job has ended; results are being taken over
    COMPLETED = "completed"
    FAILED = "failed"  # the command, or its preparation, ended with another code than 0
    TIMED_OUT = "timed-out"
    OUT_OF_MEMORY = "out-of-memory"
    KILLED = "killed"  # stopped as failed, or cancelled outside the portal
    USER_CANCELED = "user-canceled"  # stopped as normal
    NODE_FAILED = "node-failed"
    REFUSED = "refused"  # Slurm did not take it
    UNKNOWN = "unknown"  # neither Slurm nor accounting knows of it


LIVE: Final = frozenset(
    {
        RunState.OPENED,
        RunState.PREPARED,
        RunState.ASKED,
        RunState.PENDING,
        RunState.RUNNING,
        RunState.COLLECTING,
    }
)


class RunPhase(StrEnum):
    """How far the work inside a job is, as its runner notes it."""

    QUEUED = "queued"
    FETCHING = "fetching"
    STAGING = "staging"
    CLONING = "cloning"
    RUNNING = "running"
    SAVING = "saving"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Source:
    """The model's code: a repository at a commit, resolved when it is submitted.

    `ref` is what the person chose (a branch, or nothing); `commit` is 40 hex digits.
    """

    url: str
    ref: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Parent:
    """An earlier run whose output is there to be read."""

    kind: RunKind
    id: int


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Everything that a person chooses for a run."""

    name: str
    tenant: str
    queue: str
    command: str
    shape: Shape = field(default_factory=Shape)
    lifetime_s: int = 24 * 3600
    dataset: int | None = None
    staging: Staging = Staging.LINK
    parents: tuple[Parent, ...] = ()
    # A conda environment, or a container image by its whole name with a digest.
    environment: str = ""
    image: str = ""
    source: Source | None = None
    variables: tuple[tuple[str, str], ...] = ()
    ports: tuple[int, ...] = ()
    zip: bool = True
    memo: str = ""
    tags: tuple[str, ...] = ()
    # It ran elsewhere: there is no job, only its results come (K-18).
    is_outside: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    `key` is random and travels in the job's name. A preprocessing of many data is one
    array: its runs share `batch` and `key`, and differ in `task`. `job_id` is the
    array's where there is one.
    """

    id: int
    kind: RunKind
    owner: str
    key: str
    spec: RunSpec
    state: RunState
    asked_at: float
    changed_at: float
    job_id: int | None = None
    batch: int | None = None
    task: int | None = None
    preprocessing: int | None = None
    data: int | None = None  # the item that is preprocessed
    node: str = ""
    began_at: float | None = None
    ended_at: float | None = None
    stopping: RunState | None = None  # how it is to be called once its job has ended
    outcome: RunState | None = None  # how its job ended, while results are collected
    going_at: float | None = None  # since when it is to be deleted once it has ended
    detail: str = ""
    exit_code: int | None = None
    value: str = ""  # the first line of value.txt
    is_favourite: bool = False
    # As they were last written; the spec has them as they were asked for.
    name: str = ""
    memo: str = ""
    tags: tuple[str, ...] = ()
    # Where it lies below `<scratch>/<owner>/kqi/`.
    folder: str = ""
    # The run whose script was submitted once more by hand: its job has that name.
    copied_from: int | None = None
    # How its results stand: counted when they were collected.
    files: int | None = None
    bytes: int | None = None
    # What it has used of what it asked for; None where nothing was measured.
    use: RunUse | None = None

    @property
    def job_name(self) -> str:
        """Return the job's name at Slurm."""
        number = self.batch or self.copied_from or self.id
        word = self.kind if self.batch is None else f"{self.kind}s"
        return f"{word}-{number}-{self.key}"

    @property
    def slurm_id(self) -> str:
        """Return the job's number as Slurm's programs take it; empty without one."""
        if self.job_id is None:
            return ""
        return str(self.job_id) if self.task is None else f"{self.job_id}_{self.task}"

    @property
    def is_live(self) -> bool:
        """Tell whether it has not ended."""
        return self.state in LIVE

    def waited_s(self, now: float) -> float:
        """Return for how long it waited before it began, or ended without a beginning.

        A script that nobody has submitted yet waits for a person, not for Slurm.
        """
        until = self.began_at if self.began_at is not None else self.ended_at
        return max(0.0, (now if until is None else until) - self.asked_at)

    def ran_s(self, now: float) -> float | None:
        """Return for how long its job has run until now, or did before it ended."""
        if self.began_at is None:
            return None
        return max(
            0.0, (now if self.ended_at is None else self.ended_at) - self.began_at
        )


@dataclass(frozen=True, slots=True)
class RunRules:
    """What the site decides about runs."""

    default_lifetime_s: int = 24 * 3600
    longest_lifetime_s: int = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class RunChange:
    """What may still be changed of a run; None leaves it as it is."""

    name: str | None = None
    memo: str | None = None
    tags: tuple[str, ...] | None = None
    is_favourite: bool | None = None
    # Beside those that it has: what two people do at once is both done.
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()

    def tags_of(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """Return the tags of a run that has these, after the change."""
        kept = known if self.tags is None else self.tags
        return tuple(sorted({*kept, *self.add_tags} - set(self.remove_tags)))


@dataclass(frozen=True, slots=True)
class RunEvent:
    """A change of a run's state: when, to what, why."""

    at: float
    state: RunState
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """A way to make new data from data; only the name is needed until it is run."""

    id: int
    tenant: str
    name: str
    memo: str
    command: str
    environment: str
    image: str  # its tag stands for a digest from each submission on
    source: Source | None
    shape: Shape
    is_locked: bool  # after its first run only name, memo and shape may change (KX-60)
    created_by: str
    created_at: float
    changed_at: float
