"""Lists of datasets: what is asked of them, in which order they come, their pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum

from kqi_hub.domain.data import Dataset
from kqi_hub.domain.data_list import check_texts, checked_limit, checked_page
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.filters import (
    ANY_TEXT,
    ANY_VALUE,
    Part,
    Span,
    moments_of,
    numbers_of,
    part_of,
)


class DatasetColumn(StrEnum):
    """What a list of datasets can be sorted by."""

    ID = "id"
    NAME = "name"
    CREATED_AT = "created_at"
    CREATED_BY = "created_by"
    CHANGED_AT = "changed_at"


@dataclass(frozen=True, slots=True)
class DatasetFilter:
    """Which datasets to list, and which of them to show.

    `tenants` None means all. With `data_id` only those that hold this data item.
    """

    tenants: tuple[str, ...] | None
    id: Span = ANY_VALUE
    name: Part = ANY_TEXT
    memo: Part = ANY_TEXT
    created_at: Span = ANY_VALUE
    created_by: Part = ANY_TEXT
    is_locked: bool | None = None
    data_id: int | None = None
    sort: DatasetColumn = DatasetColumn.ID
    is_descending: bool = True
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class DatasetQuestion:
    """What somebody typed above the list, as it came.

    `tenant` None: all of one's own. `sort` is a DatasetColumn, with `-` before it
    descending.
    """

    tenant: str | None = None
    id: str = ""
    name: str = ""
    memo: str = ""
    created_at: str = ""
    created_by: str = ""
    is_locked: bool | None = None
    data_id: int | None = None
    sort: str = "-id"
    page: int = 1
    per_page: int = 100
    with_total: bool = False


@dataclass(frozen=True, slots=True)
class DatasetPage:
    """A page of a list; `unread` names the fields whose condition cannot be read.

    `total` is None where it was not asked for.
    """

    items: tuple[Dataset, ...]
    total: int | None = None
    unread: Mapping[str, str] = field(default_factory=dict)


def filter_of(
    asked: DatasetQuestion, tenants: tuple[str, ...] | None, zone: tzinfo
) -> DatasetFilter:
    """Read a question whose conditions can all be read; InvalidInput for the rest."""
    check_texts(asked.name, asked.memo, asked.created_by)
    limit = checked_limit(asked.per_page)
    return DatasetFilter(
        tenants=tenants,
        id=numbers_of(asked.id) or Span(),
        name=part_of(asked.name),
        memo=part_of(asked.memo),
        created_at=moments_of(asked.created_at, zone) or Span(),
        created_by=part_of(asked.created_by),
        is_locked=asked.is_locked,
        data_id=asked.data_id,
        sort=_column_of(asked.sort),
        is_descending=asked.sort.startswith("-"),
        limit=limit,
        offset=(checked_page(asked.page) - 1) * limit,
    )


def _column_of(sort: str) -> DatasetColumn:
    try:
        return DatasetColumn(sort.removeprefix("-"))
    except ValueError:
        raise InvalidInput(
            "A list of datasets cannot be sorted by {sort}.",
            "Choose one of: {known}; with - before it descending.",
            sort=ascii(sort[:40]),
            known=", ".join(DatasetColumn),
        ) from None
