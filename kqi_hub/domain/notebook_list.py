"""Lists of notebooks: their state in one word, what is asked of them, their order."""

from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import Final

from kqi_hub.domain.filters import ANY_TEXT, Part, part_of
from kqi_hub.domain.listing import (
    MadeFilter,
    MadeQuestion,
    check_texts,
    column_of,
    read_made_question,
)
from kqi_hub.domain.notebooks import Phase, Session
from kqi_hub.domain.phrase import Phrase


class Status(StrEnum):
    """The state of a notebook; one whose session ended is called by its cause."""

    NEW = "new"
    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


_REFUSAL: Final = Phrase("A list of notebooks cannot be sorted by {sort}.")


class NotebookColumn(StrEnum):
    """What a list of notebooks can be sorted by; favourites are always first."""

    ID = "id"
    NAME = "name"
    QUEUE = "queue"
    CREATED_AT = "created_at"
    CREATED_BY = "created_by"


@dataclass(frozen=True, slots=True)
class NotebookFilter(MadeFilter):
    """Which notebooks to list, and which of them to show (KX-39).

    `owner` None: everybody's. Whoever made one owns it.
    """

    tenants: tuple[str, ...] | None = None
    owner: str | None = None
    queue: Part = ANY_TEXT
    status: Part = ANY_TEXT
    is_favourite: bool | None = None
    is_live: bool | None = None
    sort: NotebookColumn = NotebookColumn.ID


@dataclass(frozen=True, slots=True)
class NotebookQuestion(MadeQuestion):
    """What somebody typed above a list of notebooks; `sort` is a NotebookColumn."""

    queue: str = ""
    status: str = ""
    is_favourite: bool | None = None
    is_live: bool | None = None


def filter_of(
    asked: NotebookQuestion, owner: str | None, zone: tzinfo
) -> NotebookFilter:
    """Read a question whose conditions can all be read; InvalidInput for the rest."""
    check_texts(asked.queue, asked.status)
    tenants = None if asked.tenant is None else (asked.tenant,)
    return NotebookFilter(
        **read_made_question(asked, tenants, zone),
        owner=owner,
        queue=part_of(asked.queue),
        status=part_of(asked.status),
        is_favourite=asked.is_favourite,
        is_live=asked.is_live,
        sort=column_of(NotebookColumn, asked.sort, _REFUSAL),
    )


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
