"""Lists of runs: what is asked of them and in which order they come."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import ClassVar, Final

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.filters import (
    ANY_TAGS,
    ANY_TEXT,
    ANY_VALUE,
    Part,
    Span,
    TagRule,
    moments_of,
    numbers_of,
    part_of,
)
from kqi_hub.domain.listing import (
    Question,
    check_texts,
    column_of,
    read_question,
    tag_rule,
)
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.runs import LIVE, RunKind, RunState

# In a question: every state in which a run has not ended.
LIVE_WORD: Final = "live"


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


@dataclass(frozen=True, slots=True)
class RunQuestion(Question):
    """What somebody typed above a list of runs; `sort` is a RunColumn.

    `states` are values of RunState, or `live` for all that have not ended.
    """

    numbers: ClassVar[tuple[str, ...]] = ("id", "parent_id")
    moments: ClassVar[tuple[str, ...]] = ("asked_at",)

    command: str = ""
    owner: str = ""
    queue: str = ""
    asked_at: str = ""
    parent_id: str = ""
    parent_name: str = ""
    dataset: str = ""
    states: Sequence[str] = ()
    tags: Sequence[str] = ()
    is_favourite: bool | None = None
    # A way to preprocess, or an item that was: whose history is listed.
    preprocessing: int | None = None
    data: int | None = None


def filter_of(
    kind: RunKind, asked: RunQuestion, tenants: tuple[str, ...] | None, zone: tzinfo
) -> RunFilter:
    """Read a question whose conditions can all be read; InvalidInput for the rest."""
    names = ("command", "owner", "queue", "parent_name", "dataset")
    texts = {name: getattr(asked, name) for name in names}
    check_texts(*texts.values())
    refusal = Phrase("A list of runs cannot be sorted by {sort}.")
    return RunFilter(
        kind=kind,
        **read_question(asked, tenants),
        asked_at=moments_of(asked.asked_at, zone) or Span(),
        parent_id=numbers_of(asked.parent_id) or Span(),
        states=_states_of(asked.states),
        tags=tag_rule(asked.tags),
        is_favourite=asked.is_favourite,
        preprocessing=asked.preprocessing,
        data=asked.data,
        sort=column_of(RunColumn, asked.sort, refusal),
        **{name: part_of(text) for name, text in texts.items()},
    )


def _states_of(words: Collection[str]) -> frozenset[RunState]:
    known = {one.value for one in RunState}
    odd = [word for word in words if word not in known and word != LIVE_WORD]
    if odd:
        raise InvalidInput(
            "There is no state {word}.",
            "Choose from: {known}.",
            word=ascii(odd[0][:40]),
            known=", ".join((LIVE_WORD, *RunState)),
        )
    live = LIVE if LIVE_WORD in words else frozenset()
    return live | {RunState(word) for word in words if word != LIVE_WORD}
