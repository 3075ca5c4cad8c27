"""Everything that a person has in Slurm: what a job is for, and arrays as one row."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kqi_hub.domain.job import Job


class JobKind(StrEnum):
    """What a job is for, as its name says."""

    NOTEBOOK = "notebook"
    TRAINING = "training"
    INFERENCE = "inference"
    PREPROCESSING = "preprocessing"
    TENSORBOARD = "tensorboard"
    ENVIRONMENT = "environment"
    OTHER = "other"


class Action(StrEnum):
    """What its owner can do with a job."""

    CANCEL = "cancel"
    HOLD = "hold"
    RELEASE = "release"


class Show(StrEnum):
    """Which of the jobs to list."""

    ALL = "all"
    LIVE = "live"
    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


# The portal's own names end in a random key; what is called `training-1` is not ours.
_OURS: Final = re.compile(r"([a-z]+)-([1-9][0-9]{0,17})-([a-z2-7]{26})", re.ASCII)
_ENVIRONMENT: Final = re.compile(r"env-[a-z0-9._-]{1,40}-[A-Za-z0-9]{6,64}", re.ASCII)
_WORDS: Final[Mapping[str, JobKind]] = {
    "nb": JobKind.NOTEBOOK,
    "training": JobKind.TRAINING,
    "inference": JobKind.INFERENCE,
    "inferences": JobKind.INFERENCE,
    "preprocessing": JobKind.PREPROCESSING,
    "preprocessings": JobKind.PREPROCESSING,
    "tensorboard": JobKind.TENSORBOARD,
}
# Of these a script can be submitted by hand again: each job is a run of its own.
OF_SCRIPTS: Final = frozenset({JobKind.TRAINING, JobKind.INFERENCE})
_SLURM_ID: Final = re.compile(r"([1-9][0-9]{0,9})(?:_([0-9]{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class SlurmId:
    """A job's number as Slurm's programs take it; with a task, one of an array."""

    job: int
    task: int | None = None

    def __str__(self) -> str:
        return str(self.job) if self.task is None else f"{self.job}_{self.task}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of one's jobs to list; a page of them, the newest first."""

    show: Show = Show.ALL
    kind: JobKind | None = None
    text: str = ""
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class JobRun:
    """The run that a job is of: its number, and its folder below `kqi`."""

    number: int
    folder: str


@dataclass(frozen=True, slots=True)
class Group:
    """A job, or an array with those of its tasks that Slurm has told apart."""

    id: int
    jobs: tuple[Job, ...]

    @property
    def is_array(self) -> bool:
        """Tell whether it is an array, even if only one of its tasks is known."""
        return self.jobs[0].array_id is not None

    @property
    def is_live(self) -> bool:
        """Tell whether any of it has not ended."""
        return any(not job.is_over for job in self.jobs)


def parse_slurm_id(text: str) -> SlurmId | None:
    """Return the number that somebody typed, None for what is none."""
    found = _SLURM_ID.fullmatch(text)
    if found is None:
        return None
    return SlurmId(int(found[1]), None if found[2] is None else int(found[2]))


def slurm_id_of(job: Job) -> SlurmId:
    """Return the number by which a job is acted on.

    Tasks of an array that are not told apart yet are acted on together with it.
    """
    if job.array_id is None:
        return SlurmId(job.job_id)
    one = job.task is not None and job.task.isascii() and job.task.isdecimal()
    return SlurmId(job.array_id, int(job.task or 0) if one else None)


def kind_of(name: str) -> tuple[JobKind, int | None]:
    """Return what a job's name says that it is for, and the number of the thing."""
    word = name.partition("-")[0]
    found = _OURS.fullmatch(name) if word in _WORDS else None
    if found is not None:
        return _WORDS[found[1]], int(found[2])
    if word == "env" and _ENVIRONMENT.fullmatch(name) is not None:
        return JobKind.ENVIRONMENT, None
    return JobKind.OTHER, None


def key_of(name: str) -> str | None:
    """Return the key in a job's name; None for a name that is not the portal's."""
    found = _OURS.fullmatch(name)
    return None if found is None else found[3]


def groups_of(jobs: Iterable[Job]) -> tuple[Group, ...]:
    """Return jobs with arrays as one, the newest first; tasks in their order."""
    found: dict[int, list[Job]] = {}
    for job in jobs:
        key = job.job_id if job.array_id is None else job.array_id
        found.setdefault(key, []).append(job)
    return tuple(
        Group(key, tuple(sorted(found[key], key=_place)))
        for key in sorted(found, reverse=True)
    )


def fits(group: Group, wanted: Wanted) -> bool:
    """Tell whether a job or array is looked for."""
    head, word = group.jobs[0], wanted.text.strip().casefold()
    if wanted.kind is not None and kind_of(head.name)[0] is not wanted.kind:
        return False
    where = (str(group.id), head.name, head.partition, head.account)
    if word and not any(word in text.casefold() for text in where):
        return False
    return wanted.show in _stands(group)


def _stands(group: Group) -> frozenset[Show]:
    """Return each of the lists that a job or array belongs to."""
    waits = any(job.is_waiting for job in group.jobs)
    runs = any(not job.is_over and not job.is_waiting for job in group.jobs)
    told = {Show.ALL: True, Show.WAITING: waits, Show.RUNNING: runs}
    told |= {Show.LIVE: group.is_live, Show.ENDED: not group.is_live}
    return frozenset(show for show, is_so in told.items() if is_so)


def _place(job: Job) -> tuple[bool, int, int]:
    """Sort tasks by their numbers; those not told apart come last."""
    task = job.task or ""
    is_one = task.isascii() and task.isdecimal()
    return not is_one, int(task) if is_one else 0, job.job_id
