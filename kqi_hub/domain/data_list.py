"""Lists of data: what is asked of them, in which order they come, a page of answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum

from kqi_hub.domain.data import DataItem
from kqi_hub.domain.filters import ANY_TAGS, TagRule
from kqi_hub.domain.listing import (
    MadeFilter,
    MadeQuestion,
    column_of,
    read_made_question,
    tag_rule,
)
from kqi_hub.domain.phrase import Phrase


class Column(StrEnum):
    """What a list of data can be sorted by."""

    ID = "id"
    NAME = "name"
    CREATED_AT = "created_at"
    CREATED_BY = "created_by"
    FILES = "files"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class DataFilter(MadeFilter):
    """Which data to list, and which of them to show; only READY ones are there."""

    tags: TagRule = ANY_TAGS
    sort: Column = Column.ID


@dataclass(frozen=True, slots=True)
class DataQuestion(MadeQuestion):
    """What somebody typed above the list of data; `sort` is a Column."""

    tags: Sequence[str] = ()
    with_total: bool = False


@dataclass(frozen=True, slots=True)
class DataPage:
    """A page of a list; `unread` names the fields whose condition cannot be read.

    `total` is None where it was not asked for.
    """

    items: tuple[DataItem, ...]
    total: int | None = None
    unread: Mapping[str, str] = field(default_factory=dict)


def filter_of(
    asked: DataQuestion, tenants: tuple[str, ...] | None, zone: tzinfo
) -> DataFilter:
    """Read a question whose conditions can all be read; InvalidInput for the rest."""
    refusal = Phrase("A list of data cannot be sorted by {sort}.")
    return DataFilter(
        **read_made_question(asked, tenants, zone),
        tags=tag_rule(asked.tags),
        sort=column_of(Column, asked.sort, refusal),
    )
