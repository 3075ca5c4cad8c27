"""Lists of runs: what is asked of them and in which order they come."""

from dataclasses import dataclass
from enum import StrEnum

from kqi_hub.domain.filters import ANY_TAGS, ANY_TEXT, ANY_VALUE, Part, Span, TagRule
from kqi_hub.domain.runs import RunKind, RunState


class RunColumn(StrEnum):
    """What a list of runs can be sorted by."""

    ID = "id"
    NAME = "name"
    STATE = "state"
    OWNER = "owner"
    QUEUE = "queue"
    ASKED_AT = "asked_at"
    ENDED_AT = "ended_at"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to list, and which of them to show (KX-39). `tenants` None: all."""

    kind: RunKind
    tenants: tuple[str, ...] | None
    id: Span = ANY_VALUE
    name: Part = ANY_TEXT
    memo: Part = ANY_TEXT
    command: Part = ANY_TEXT
    owner: Part = ANY_TEXT
    queue: Part = ANY_TEXT
    asked_at: Span = ANY_VALUE
    parent_id: Span = ANY_VALUE
    parent_name: Part = ANY_TEXT
    dataset: Part = ANY_TEXT
    states: frozenset[RunState] = frozenset()
    tags: TagRule = ANY_TAGS
    is_favourite: bool | None = None
    preprocessing: int | None = None
    data: int | None = None
    sort: RunColumn = RunColumn.ID
    is_descending: bool = True
    limit: int = 100
    offset: int = 0
