"""Lists of runs: what is asked of them and in which order they come."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import Final

from kqi_hub.domain.data_list import check_texts, checked_limit, checked_page
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
    tags_of,
)
from kqi_hub.domain.runs import LIVE, RunKind, RunState

_MOST_TAGS: Final = 50
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
class RunQuestion:
    """What somebody typed above a list, as it came.

    `tenant` None: all of one's own. `states` are values of RunState, or `live` for
    all that have not ended. `sort` is a RunColumn, with `-` before it descending.
    """

    tenant: str | None = None
    id: str = ""
    name: str = ""
    memo: str = ""
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
    sort: str = "-id"
    page: int = 1
    per_page: int = 100


def unread_of(asked: RunQuestion, zone: tzinfo) -> dict[str, str]:
    """Return the conditions of a question that cannot be read, by field."""
    read = {
        "id": numbers_of(asked.id),
        "asked_at": moments_of(asked.asked_at, zone),
        "parent_id": numbers_of(asked.parent_id),
    }
    return {name: getattr(asked, name) for name, span in read.items() if span is None}


def filter_of(
    kind: RunKind, asked: RunQuestion, tenants: tuple[str, ...] | None, zone: tzinfo
) -> RunFilter:
    """Read a question whose conditions can all be read; InvalidInput for the rest."""
    texts = {
        name: getattr(asked, name)
        for name in (
            "name", "memo", "command", "owner", "queue", "parent_name", "dataset",
        )
    }  # fmt: skip
    check_texts(*texts.values(), *asked.tags)
    limit = checked_limit(asked.per_page)
    return RunFilter(
        kind=kind,
        tenants=tenants,
        id=numbers_of(asked.id) or Span(),
        asked_at=moments_of(asked.asked_at, zone) or Span(),
        parent_id=numbers_of(asked.parent_id) or Span(),
        states=_states_of(asked.states),
        tags=_tag_rule(asked.tags),
        is_favourite=asked.is_favourite,
        preprocessing=asked.preprocessing,
        data=asked.data,
        sort=_column_of(asked.sort),
        is_descending=asked.sort.startswith("-"),
        limit=limit,
        offset=(checked_page(asked.page) - 1) * limit,
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


def _tag_rule(texts: Sequence[str]) -> TagRule:
    tags = tags_of(texts)
    if len(tags.wanted) + len(tags.refused) > _MOST_TAGS:
        raise InvalidInput(
            "A list is filtered by up to {most} tags.",
            "Leave some out.",
            most=_MOST_TAGS,
        )
    return tags


def _column_of(sort: str) -> RunColumn:
    try:
        return RunColumn(sort.removeprefix("-"))
    except ValueError:
        raise InvalidInput(
            "A list of runs cannot be sorted by {sort}.",
            "Choose one of: {known}; with - before it descending.",
            sort=ascii(sort[:40]),
            known=", ".join(RunColumn),
        ) from None
