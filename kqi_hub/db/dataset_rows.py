"""Between rows and datasets: what a row says, and what is counted beside it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    Text,
    and_,
    cast as as_type,
    exists,
    func,
    select,
    type_coerce,
    update,
)

from kqi_hub.db.data_tables import DataItemRow
from kqi_hub.db.dataset_tables import DatasetEntryRow, DatasetRow, UseRow
from kqi_hub.db.text import AnyText
from kqi_hub.domain.data import Dataset, Kind
from kqi_hub.domain.errors import NotFound

DATASETS: Final = cast(Table, DatasetRow.__table__)
ENTRIES: Final = cast(Table, DatasetEntryRow.__table__)
ITEMS: Final = cast(Table, DataItemRow.__table__)
USES: Final = cast(Table, UseRow.__table__)
_D: Final = DATASETS.c
# What is counted of a free dataset, and stored of a locked one.
COUNTS: Final = ("items", "files", "bytes", "versions")
# Double precision at our times tells a quarter of a microsecond.
TICK: Final = 1e-6


def as_id(number: ColumnElement[int]) -> ColumnElement[str]:
    """Return a number as the table of uses has it."""
    return type_coerce(as_type(number, Text), AnyText())


def is_locked() -> ColumnElement[bool]:
    """Return the condition that something locks a dataset."""
    return exists().where(
        USES.c.used_kind == Kind.DATASET.value,
        USES.c.used_id == as_id(_D.number),
        USES.c.locks,
    )


def with_lock() -> Select[Any]:
    """Return the query of datasets, each with whether it is locked."""
    return select(DATASETS, is_locked().label("is_locked"))


def datasets_of(connection: Connection, rows: Iterable[Row[Any]]) -> list[Dataset]:
    """Read rows of `with_lock`; what free datasets hold is counted now."""
    found = list(rows)
    free = [row.number for row in found if not row.is_locked]
    counted = counts_of(connection, free)
    return [dataset_of(row, counted.get(row.number)) for row in found]


def one_dataset(connection: Connection, dataset_id: int) -> Dataset | None:
    """Return a dataset by its number."""
    rows = connection.execute(with_lock().where(_D.number == dataset_id)).all()
    found = datasets_of(connection, rows)
    return found[0] if found else None


def known_dataset(connection: Connection, dataset_id: int) -> Dataset:
    """Return a dataset by its number, or raise NotFound."""
    found = one_dataset(connection, dataset_id)
    if found is None:
        raise no_dataset()
    return found


def counts_of(
    connection: Connection, dataset_ids: Sequence[int]
) -> Mapping[int, Row[Any]]:
    """Count what datasets hold: items, files, bytes, the sum of versions."""
    if not dataset_ids:
        return {}
    of = ENTRIES.c.dataset
    query = (
        select(
            of,
            func.count().label("items"),
            func.sum(ITEMS.c.files).label("files"),
            func.sum(ITEMS.c.bytes).label("bytes"),
            func.sum(ITEMS.c.version).label("versions"),
        )
        .join_from(ENTRIES, ITEMS, and_(ITEMS.c.number == ENTRIES.c.data_id))
        .where(of.in_(dataset_ids))
        .group_by(of)
    )
    return {row.dataset: row for row in connection.execute(query)}


def tenant_of(connection: Connection, dataset_id: int) -> str:
    """Return whose dataset it is, which never changes; NotFound if there is none."""
    tenant = connection.scalar(select(_D.tenant).where(_D.number == dataset_id))
    if tenant is None:
        raise no_dataset()
    return str(tenant)


def bump(connection: Connection, *where: ColumnElement[bool]) -> None:
    """Let datasets be changed ones: their entries are others now."""
    connection.execute(
        update(DATASETS)
        .where(*where)
        .values(revision=_D.revision + 1, changed_at=_D.changed_at + TICK)
    )


def no_dataset() -> NotFound:
    """Return the error for a number that no dataset has."""
    return NotFound("There is no such dataset.", "Look at the list again.")


def dataset_of(row: Row[Any], counted: Row[Any] | None) -> Dataset:
    """Read a row of `with_lock`; of a locked one its own counts are true."""
    source = row if row.is_locked else counted
    items, files, size, _ = (
        int(getattr(source, name) or 0) if source is not None else 0 for name in COUNTS
    )
    return Dataset(
        id=row.number,
        tenant=row.tenant,
        name=row.name,
        memo=row.memo,
        is_flat=row.is_flat,
        items=items,
        files=files,
        bytes=size,
        is_locked=bool(row.is_locked),
        created_by=row.created_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
