"""Lists of data: what is asked of them, in which order they come, a page of answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from typing import Final, Protocol

from kqi_hub.domain.data import DataItem
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

MOST_A_PAGE: Final = 1000
_MOST_PAGES: Final = 10**9
_LONGEST_TEXT: Final = 1000
_MOST_TAGS: Final = 50


class Column(StrEnum):
    """What a list of data can be sorted by."""

    ID = "id"
    NAME = "name"
    CREATED_AT = "created_at"
    CREATED_BY = "created_by"
    FILES = "files"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class DataFilter:
    """Which data to list, and which of them to show; only READY ones are there.

    `tenants` None means all, for operators.
    """

    tenants: tuple[str, ...] | None
    id: Span = ANY_VALUE
    name: Part = ANY_TEXT
    memo: Part = ANY_TEXT
    created_at: Span = ANY_VALUE
    created_by: Part = ANY_TEXT
    tags: TagRule = ANY_TAGS
    sort: Column = Column.ID
    is_descending: bool = True
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class DataQuestion:
    """What somebody typed above the list, as it came.

    `tenant` None: all of one's own. `sort` is a Column, with `-` before it descending.
    """

    tenant: str | None = None
    id: str = ""
    name: str = ""
    memo: str = ""
    created_at: str = ""
    created_by: str = ""
    tags: Sequence[str] = ()
    sort: str = "-id"
    page: int = 1
    per_page: int = 100
    with_total: bool = False


@dataclass(frozen=True, slots=True)
class DataPage:
    """A page of a list; `unread` names the fields whose condition cannot be read.

    `total` is None where it was not asked for.
    """

    items: tuple[DataItem, ...]
    total: int | None = None
    unread: Mapping[str, str] = field(default_factory=dict)


class Conditions(Protocol):
    """What every list is asked by, whatever it lists."""

    @property
    def id(self) -> str:
        """Return the condition of the number."""

    @property
    def created_at(self) -> str:
        """Return the condition of the time."""


def unread_of(asked: Conditions, zone: tzinfo) -> dict[str, str]:
    """Return the conditions of a question that cannot be read, by field."""
    read = {
        "id": numbers_of(asked.id),
        "created_at": moments_of(asked.created_at, zone),
    }
    return {name: getattr(asked, name) for name, span in read.items() if span is None}


def filter_of(
    asked: DataQuestion, tenants: tuple[str, ...] | None, zone: tzinfo
) -> DataFilter:
    """Read a question whose conditions can all be read; InvalidInput for the rest."""
    check_texts(asked.name, asked.memo, asked.created_by, *asked.tags)
    tags = tags_of(asked.tags)
    if len(tags.wanted) + len(tags.refused) > _MOST_TAGS:
        raise InvalidInput(
            "A list is filtered by up to {most} tags.",
            "Leave some out.",
            most=_MOST_TAGS,
        )
    return DataFilter(
        tenants=tenants,
        id=numbers_of(asked.id) or Span(),
        name=part_of(asked.name),
        memo=part_of(asked.memo),
        created_at=moments_of(asked.created_at, zone) or Span(),
        created_by=part_of(asked.created_by),
        tags=tags,
        sort=column_of(asked.sort),
        is_descending=asked.sort.startswith("-"),
        limit=checked_limit(asked.per_page),
        offset=(checked_page(asked.page) - 1) * checked_limit(asked.per_page),
    )


def check_texts(*texts: str) -> None:
    """Refuse a condition that is too long to be meant."""
    if any(len(text) > _LONGEST_TEXT for text in texts):
        raise InvalidInput(
            "A condition of the list is longer than {most} characters.",
            "Shorten it.",
            most=_LONGEST_TEXT,
        )


def column_of(sort: str) -> Column:
    """Return what a list is to be sorted by."""
    try:
        return Column(sort.removeprefix("-"))
    except ValueError:
        raise InvalidInput(
            "A list of data cannot be sorted by {sort}.",
            "Choose one of: {known}; with - before it descending.",
            sort=ascii(sort[:40]),
            known=", ".join(Column),
        ) from None


def checked_page(page: int) -> int:
    """Return the number of a page, from 1 on."""
    if not 1 <= page <= _MOST_PAGES:
        raise InvalidInput("There is no page {page}.", "Begin with page 1.", page=page)
    return page


def checked_limit(limit: int, most: int = MOST_A_PAGE) -> int:
    """Return how many are asked for at once."""
    if not 1 <= limit <= most:
        raise InvalidInput(
            "One page cannot have {limit} lines.",
            "Ask for 1 to {most}.",
            limit=limit,
            most=most,
        )
    return limit
