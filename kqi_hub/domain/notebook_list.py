"""Finding notebooks in a list: their state in one word, and what a filter asks."""

from dataclasses import dataclass
from enum import StrEnum

from kqi_hub.domain.notebooks import Phase, Session


class Status(StrEnum):
    """The state of a notebook; one whose session ended is called by its cause."""

    NEW = "new"
    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class NotebookFilter:
    """Which notebooks to list; None and empty texts leave a column alone.

    Texts mean contains, or with a leading `!` does not contain.
    """

    owner: str | None = None
    tenant: str | None = None
    name: str = ""
    memo: str = ""
    status: str = ""
    is_favourite: bool | None = None
    is_live: bool | None = None
    limit: int = 100
    offset: int = 0


def status_of(session: Session | None) -> str:
    """Return the one word: a Status, or the cause of the end."""
    if session is None:
        return Status.NEW
    if session.cause is not None:
        return session.cause
    if session.stopping is not None:
        return Status.STOPPING
    if session.phase is Phase.READY:
        return Status.RUNNING
    if session.phase in {Phase.ASKED, Phase.QUEUED}:
        return Status.WAITING
    return Status.STARTING
