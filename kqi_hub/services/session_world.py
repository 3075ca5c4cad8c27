"""What starting and stopping sessions needs of the world."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from kqi_hub.domain.notebook_ports import (
    DatasetPlace,
    JobPlaces,
    SecretFiles,
    SessionStore,
)
from kqi_hub.domain.notebooks import Session
from kqi_hub.domain.ports import (
    BatchScript,
    ClusterControl,
    ClusterReader,
    SnapshotStore,
)
from kqi_hub.services.session_dataset import no_dataset


class Slurm(ClusterControl, ClusterReader, JobPlaces, Protocol):
    """Slurm: submit, cancel, find a name again, and where one job runs."""


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """How patient the hub is; seconds."""

    longest_wait: float = 14 * 86400.0
    # A stop waits so long for the job's own word that it has ended.
    last_word: float = 3.0
    # Between tries while Slurm or the door cannot be reached.
    pause: float = 3.0
    # Between two questions that both must say that a job does not exist.
    settle: float = 3.0
    watch: float = 1.0


@dataclass(frozen=True)
class World:
    """Stores, Slurm, the person's files, and the texts of script and secret."""

    sessions: SessionStore
    snapshot: SnapshotStore
    slurm: Slurm
    secret_files: SecretFiles
    # Make a person's folder on scratch with what belongs into it, where it lacks.
    folders: Callable[[str], Awaitable[None]]
    script: Callable[[Session], BatchScript]
    # The text of the secret file, from the session, what the hub hands out, and where
    # its dataset lies. Blocks.
    secret: Callable[[Session, Mapping[str, str], DatasetPlace | None], str]
    clock: Callable[[], float]
    log_path: Callable[[Session, int], str]
    times: SessionTimes = SessionTimes()
    # Have the session's dataset made ready, if it has one.
    dataset: Callable[[Session], Awaitable[DatasetPlace | None]] = no_dataset
