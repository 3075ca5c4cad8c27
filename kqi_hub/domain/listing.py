"""What lists have in common: questions as they were typed, read into filters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import ClassVar, Final, TypedDict, TypeVar

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.filters import (
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
from kqi_hub.domain.phrase import Phrase

C = TypeVar("C", bound=StrEnum)
MOST_A_PAGE: Final = 1000
_MOST_PAGES: Final = 10**9
_LONGEST_TEXT: Final = 1000
_MOST_TAGS: Final = 50


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody typed above a list, as it came; `tenant` None: all of one's own.

    `sort` is a column of the list, with `-` before it descending.
    """

    # Which fields are conditions on numbers, and which on moments.
    numbers: ClassVar[tuple[str, ...]] = ("id",)
    moments: ClassVar[tuple[str, ...]] = ()

    tenant: str | None = None
    id: str = ""
    name: str = ""
    memo: str = ""
    sort: str = "-id"
    page: int = 1
    per_page: int = 100


@dataclass(frozen=True, slots=True)
class MadeQuestion(Question):
    """A question for things that somebody made."""

    moments: ClassVar[tuple[str, ...]] = ("created_at",)

    created_at: str = ""
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class MadeFilter:
    """Which things to list that somebody made, and which of them to show.

    `tenants` None means all, for operators.
    """

    tenants: tuple[str, ...] | None
    id: Span = ANY_VALUE
    name: Part = ANY_TEXT
    memo: Part = ANY_TEXT
    created_at: Span = ANY_VALUE
    created_by: Part = ANY_TEXT
    is_descending: bool = True
    limit: int = 100
    offset: int = 0


class Read(TypedDict):
    """What is read of every question, as filters take it."""

    tenants: tuple[str, ...] | None
    id: Span
    name: Part
    memo: Part
    is_descending: bool
    limit: int
    offset: int


class ReadOfMade(Read):
    """What is read of a question for things that somebody made."""

    created_at: Span
    created_by: Part


def unread_of(asked: Question, zone: tzinfo) -> dict[str, str]:
    """Return the conditions of a question that cannot be read, by field."""
    read = {name: numbers_of(getattr(asked, name)) for name in asked.numbers}
    read |= {name: moments_of(getattr(asked, name), zone) for name in asked.moments}
    return {name: getattr(asked, name) for name, span in read.items() if span is None}


def read_question(asked: Question, tenants: tuple[str, ...] | None) -> Read:
    """Read what every question has; InvalidInput for what no list can be asked."""
    check_texts(asked.name, asked.memo)
    limit = checked_limit(asked.per_page)
    return {
        "tenants": tenants,
        "id": numbers_of(asked.id) or Span(),
        "name": part_of(asked.name),
        "memo": part_of(asked.memo),
        "is_descending": asked.sort.startswith("-"),
        "limit": limit,
        "offset": (checked_page(asked.page) - 1) * limit,
    }


def read_made_question(
    asked: MadeQuestion, tenants: tuple[str, ...] | None, zone: tzinfo
) -> ReadOfMade:
    """Read what every question has for things that somebody made."""
    check_texts(asked.created_by)
    return {
        **read_question(asked, tenants),
        "created_at": moments_of(asked.created_at, zone) or Span(),
        "created_by": part_of(asked.created_by),
    }


def tag_rule(texts: Sequence[str]) -> TagRule:
    """Read conditions on tags; InvalidInput for more than anybody means."""
    check_texts(*texts)
    tags = tags_of(texts)
    if len(tags.wanted) + len(tags.refused) > _MOST_TAGS:
        raise InvalidInput(
            "A list is filtered by up to {most} tags.",
            "Leave some out.",
            most=_MOST_TAGS,
        )
    return tags


def column_of(columns: type[C], sort: str, refusal: Phrase) -> C:
    """Return what a list is to be sorted by; `refusal` says that it cannot be."""
    try:
        return columns(sort.removeprefix("-"))
    except ValueError:
        raise InvalidInput(
            refusal.template,
            "Choose one of: {known}; with - before it descending.",
            sort=ascii(sort[:40]),
            known=", ".join(columns),
        ) from None


def check_texts(*texts: str) -> None:
    """Refuse a condition that is too long to be meant."""
    if any(len(text) > _LONGEST_TEXT for text in texts):
        raise InvalidInput(
            "A condition of the list is longer than {most} characters.",
            "Shorten it.",
            most=_LONGEST_TEXT,
        )


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
