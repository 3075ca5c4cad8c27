"""Runs as the portal answers them: trainings and inferences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self
from urllib.parse import parse_qsl

from kqi_hub.sdk.models import Answer, known

# States in which something may still happen to a run.
LIVE: Final = frozenset(
    {"opened", "prepared", "asked", "pending", "running", "collecting"}
)
_LISTS: Final = ("tags", "parents", "actions", "children")


@dataclass(frozen=True, slots=True)
class Run(Answer):
    """A run as it is now; times are seconds since 1970.

    `waiting` and `price` are as the portal says them. What follows `page` is known
    only where one run was asked for.
    """

    kind: ClassVar[str] = ""
    # Where the REST interface has them.
    path: ClassVar[str] = ""

    id: int
    owner: str
    tenant: str
    name: str
    state: str
    # The state, `stopping` or `deleting`.
    status: str = ""
    memo: str = ""
    tags: tuple[str, ...] = ()
    detail: str = ""
    is_live: bool = False
    is_own: bool = False
    is_favourite: bool = False
    queue: str = ""
    cpus: int = 0
    memory_mb: int = 0
    gpus: int = 0
    gpu_type: str = ""
    dataset: int | None = None
    parents: tuple[Mapping[str, Any], ...] = ()
    environment: str = ""
    image: str = ""
    job_id: int | None = None
    # The same as Slurm's programs take it.
    slurm_id: str = ""
    node: str = ""
    asked_at: float = 0.0
    began_at: float | None = None
    ended_at: float | None = None
    changed_at: float = 0.0
    ran_s: float | None = None
    exit_code: int | None = None
    value: str = ""
    waiting: Mapping[str, Any] | None = None
    price: Mapping[str, Any] | None = None
    cost_micro: int | None = None
    # It has ended, and the bill has it so; else reckoned from what is known.
    is_billed: bool = False
    actions: tuple[str, ...] = ()
    # What the owner is called; empty before a first login.
    owner_name: str = ""
    page: str = ""
    # What was asked for, as `submit` takes it.
    choices: Mapping[str, Any] | None = None
    children: tuple[Mapping[str, Any], ...] = ()
    # Where it lies, from one's own folder on scratch on.
    folder: str = ""
    files: int | None = None
    bytes: int | None = None
    # What it has used of what it asked for, once it has ended: `text`, `cores` …
    use: Mapping[str, Any] | None = None
    # Of a run of a preprocessing: of which one, on which data, where in the array.
    preprocessing: int | None = None
    data: int | None = None
    task: int | None = None
    picture: Mapping[str, Any] | None = None

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        lists = {name: tuple(said.get(name) or ()) for name in _LISTS}
        return cls(**{**known(cls, said), **lists})


@dataclass(frozen=True, slots=True)
class Training(Run):
    """A training."""

    kind: ClassVar[str] = "training"
    path: ClassVar[str] = "training"


@dataclass(frozen=True, slots=True)
class Inference(Run):
    """An inference."""

    kind: ClassVar[str] = "inference"
    path: ClassVar[str] = "inference"


@dataclass(frozen=True, slots=True)
class PreprocessingRun(Run):
    """A run of a preprocessing on one data item: a task of an array."""

    kind: ClassVar[str] = "preprocessing"
    path: ClassVar[str] = "preprocessing-runs"


@dataclass(frozen=True, slots=True)
class RunEvent(Answer):
    """A change of a run's state: when, to what, why."""

    at: float
    state: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class UseSample(Answer):
    """What a run used at a moment: cores since the one before; no GPU: None."""

    epoch: float
    cpu_cores_used: float
    memory_mb: float
    gpu_percent: float | None = None
    gpu_memory_mb: float | None = None


@dataclass(frozen=True, slots=True)
class RunDeletion(Answer):
    """What deleting a run would take along; `blockers` are runs that read its output.

    `is_live`: its job is ended first. `is_going`: that was asked for already.
    `is_unlocked`: its dataset, which stays, may be changed then.
    """

    is_live: bool = False
    is_going: bool = False
    blockers: tuple[Mapping[str, Any], ...] = ()
    folder: str = ""
    files: int | None = None
    bytes: int | None = None
    dataset: int | None = None
    is_unlocked: bool = False


@dataclass(frozen=True, slots=True)
class RunEstimate(Answer):
    """What a run would cost and meet if it were submitted now."""

    is_possible: bool
    objections: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    wait: str = "unknown"
    wait_s: int | None = None
    price: Mapping[str, Any] | None = None
    # In millionths: of the time asked for; what the tenant has left this month.
    cost_micro: int | None = None
    left_micro: int | None = None


@dataclass(frozen=True, slots=True)
class RunSearch(Answer):
    """Conditions that one keeps under a name."""

    name: str
    query: str

    @property
    def conditions(self) -> dict[str, str]:
        """Return them as a list is asked with."""
        return dict(parse_qsl(self.query))
