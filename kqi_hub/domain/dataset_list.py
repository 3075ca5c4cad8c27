"""Lists of datasets: what is asked of them, in which order they come, their pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum

from kqi_hub.domain.data import Dataset
from kqi_hub.domain.listing import (
    MadeFilter,
    MadeQuestion,
    column_of,
    read_made_question,
)
from kqi_hub.domain.phrase import Phrase


class DatasetColumn(StrEnum):
    """What a list of datasets can be sorted by."""

    ID = "id"
    NAME = "name"
    CREATED_AT = "created_at"
    CREATED_BY = "created_by"
    CHANGED_AT = "changed_at"


@dataclass(frozen=True, slots=True)
class DatasetFilter(MadeFilter):
    """Which datasets to list; with `data_id` only those that hold this data item."""

    is_locked: bool | None = None
    data_id: int | None = None
    sort: DatasetColumn = DatasetColumn.ID


@dataclass(frozen=True, slots=True)
class DatasetQuestion(MadeQuestion):
    """What somebody typed above the list of datasets; `sort` is a DatasetColumn."""

    is_locked: bool | None = None
    data_id: int | None = None
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
    refusal = Phrase("A list of datasets cannot be sorted by {sort}.")
    return DatasetFilter(
        **read_made_question(asked, tenants, zone),
        is_locked=asked.is_locked,
        data_id=asked.data_id,
        sort=column_of(DatasetColumn, asked.sort, refusal),
    )
