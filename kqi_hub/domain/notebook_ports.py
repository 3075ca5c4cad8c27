"""What notebooks ask of the database and of the hub, as protocols."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kqi_hub.domain.notebook_list import NotebookFilter
from kqi_hub.domain.notebooks import Cause, Choices, Notebook, Phase, Session


class NotebookStore(Protocol):
    """Notebooks as people keep them. Blocks: call it off the loop."""

    def create(self, owner: str, choices: Choices, now: float) -> Notebook:
        """Add one; Conflict when the owner has one of this name."""

    def one(self, notebook_id: int) -> Notebook | None:
        """Return one with its latest session, whoever it belongs to."""

    def page(
        self, owner: str, limit: int = 100, before: int | None = None
    ) -> tuple[Notebook, ...]:
        """Return a person's, favourites first, then newest first, with sessions."""

    def search(self, wanted: NotebookFilter) -> tuple[tuple[Notebook, ...], int]:
        """Return a page of those that a filter lets through, and how many it does."""

    def count(self, owner: str) -> int:
        """Return how many a person has."""

    def change(
        self, notebook_id: int, choices: Choices, seen_at: float, now: float
    ) -> Notebook:
        """Replace the choices; Conflict if it changed after `seen_at`."""

    def set_favourite(self, notebook_id: int, is_favourite: bool) -> None:
        """Mark or unmark it."""

    def delete(self, notebook_id: int) -> None:
        """Remove it and its sessions; Conflict while a session of it lives."""

    def sessions(self, notebook_id: int, limit: int = 20) -> tuple[Session, ...]:
        """Return its sessions, newest first."""


class SessionStore(Protocol):
    """Sessions, each change in one statement. Blocks: call it off the loop.

    Whatever is told about a session that has ended changes nothing and returns the
    session as it is; unknown ids raise NotFound.
    """

    def ask(self, notebook_id: int, chosen: Choices, key: str, now: float) -> Session:
        """Store the wish for a session; Conflict when the notebook has a live one."""

    def one(self, session_id: int) -> Session | None:
        """Return one."""

    def live_of_server(self, owner: str, notebook_id: int) -> Session | None:
        """Return the live session behind a server of the hub."""

    def live(self, owner: str | None = None) -> tuple[Session, ...]:
        """Return every live session, of one person or of all."""

    def submitted(self, session_id: int, job_id: int, now: float) -> Session:
        """Note the job, and that the session is queued; the first job wins."""

    def reached(self, session_id: int, phase: Phase, now: float) -> Session:
        """Note a phase; one that was noted before keeps its time."""

    def heard_port(self, session_id: int, port: int, now: float) -> Session:
        """Note the port its server has told; one that was noted before stays."""

    def placed(self, session_id: int, node: str, port: int, now: float) -> Session:
        """Note where its server listens."""

    def stopping(self, session_id: int, cause: Cause, now: float) -> Session:
        """Note why it is about to end: the first cause told wins."""

    def ended(self, session_id: int, end: "SessionEnd") -> Session:
        """Note its end; a `stopping` cause told before outranks `end.cause`."""

    def changed_since(
        self, moment: float, owners: Collection[str] | None = None
    ) -> tuple[Session, ...]:
        """Return sessions changed at or after the moment, for live pages."""

    def stamps(self, owners: Collection[str]) -> Mapping[str, float]:
        """Return a number for each of these people that every change changes.

        A change is one of their sessions, its beginning and its end; who has no live
        session may be left out.
        """


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """How a session ended."""

    at: float
    cause: Cause
    detail: str = ""
    exit_code: int | None = None
    seen: tuple[tuple[str, int], ...] = ()


class JobPlaces(Protocol):
    """Where jobs run, asked of Slurm; raises as ClusterReader does."""

    async def node_of(self, job_id: int) -> str:
        """Return the node on which a job runs now; empty while it does not run."""


class HubServers(Protocol):
    """JupyterHub's servers, asked as the portal. Raises HubUnavailable."""

    async def start(self, person: str, server: str, profile: str) -> None:
        """Have a server started; returns when the hub has begun. Twice is fine."""

    async def stop(self, person: str, server: str) -> None:
        """Have a server stopped; one that does not run is no error."""

    async def forget(self, person: str, server: str) -> None:
        """Have the hub forget a stopped server."""

    async def states(self, person: str) -> Mapping[str, str]:
        """Return a person's live servers, each with `ready` or what is pending."""

    async def access_token(self, person: str, server: str, lifetime_s: int) -> str:
        """Return a short-lived token that opens this one server and nothing else."""


@dataclass(frozen=True, slots=True)
class DatasetPlace:
    """Where a session finds the files of its dataset, to be read only."""

    dataset_id: int
    path: str


@dataclass(frozen=True, slots=True)
class ServerSecrets:
    """What a session's server needs that nobody else may read.

    Written as JSON into a file of mode 0600 that belongs to the person.
    """

    # JUPYTERHUB_* as the hub hands them out; they outrank everything else.
    hub: Mapping[str, str]
    # Credentials for the repository's host, as user name and password; None: none.
    git: tuple[str, str] | None = None
    dataset: DatasetPlace | None = None
    # Runs whose results are read: number and folder, the latter empty for a lost one.
    parents: tuple[tuple[int, str], ...] = ()


class SecretFiles(Protocol):
    """Files of a person's that hold secrets for one job, written as the person."""

    async def keep(self, person: str, job_name: str, text: str) -> None:
        """Write or replace the file of a job."""

    async def drop(self, person: str, job_names: Sequence[str]) -> None:
        """Remove files; one that is not there is no error."""
