"""Preprocessings in the database."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, Final, cast

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    Table,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from kqi_hub.db.engine import reading, writing
from kqi_hub.db.list_conditions import in_order, made_as
from kqi_hub.db.preprocessing_tables import PreprocessingRow
from kqi_hub.db.run_tables import RunRow
from kqi_hub.db.tenant_lock import hold_tenant
from kqi_hub.domain.errors import Conflict
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.preprocessings import (
    NewPreprocessing,
    PreprocessingChange,
    PreprocessingColumn,
    PreprocessingFilter,
    locked,
    no_preprocessing,
)
from kqi_hub.domain.runs import Preprocessing, Source

_ROWS: Final = cast(Table, PreprocessingRow.__table__)
_RUNS: Final = cast(Table, RunRow.__table__)
_P: Final = _ROWS.c
_R: Final = _RUNS.c
_COLUMNS: Final = {
    PreprocessingColumn.ID: _P.number,
    PreprocessingColumn.NAME: _P.name,
    PreprocessingColumn.CREATED_AT: _P.created_at,
    PreprocessingColumn.CREATED_BY: _P.created_by,
    PreprocessingColumn.CHANGED_AT: _P.changed_at,
}
_HAS_RUN: Final = exists().where(_R.preprocessing == _P.number)


class SqlPreprocessingStore:
    """A PreprocessingStore (domain/preprocessings.py); any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, new: NewPreprocessing, person: str, now: float) -> Preprocessing:
        """Add one."""
        values = {
            "tenant": new.tenant,
            "name": new.name,
            "memo": new.memo,
            "command": new.command,
            "environment": new.environment,
            "image": new.image,
            "created_by": person,
            "created_at": now,
            "changed_at": now,
            **_of_source(new.source),
            **_of_shape(new.shape),
        }
        with writing(self._engine) as connection:
            done = connection.execute(insert(_ROWS), values)
            [number] = cast("tuple[int]", done.inserted_primary_key)
            return _known(connection, number)

    def one(self, preprocessing_id: int) -> Preprocessing | None:
        """Return one, whoever's it is."""
        with reading(self._engine) as connection:
            return _one(connection, preprocessing_id)

    def search(
        self, wanted: PreprocessingFilter
    ) -> tuple[tuple[Preprocessing, ...], int]:
        """Return a page of those that a filter lets through, and how many it does."""
        conditions = tuple(made_as(_P, wanted))
        order = in_order(
            _COLUMNS[wanted.sort], _P.number, is_descending=wanted.is_descending
        )
        query = select(_ROWS, _HAS_RUN.label("is_locked")).where(*conditions)
        page = query.order_by(*order).limit(wanted.limit).offset(wanted.offset)
        total = select(func.count()).select_from(_ROWS).where(*conditions)
        with reading(self._engine) as connection:
            found = tuple(map(_preprocessing, connection.execute(page)))
            return found, connection.scalar(total) or 0

    def change(
        self, preprocessing_id: int, change: PreprocessingChange, now: float
    ) -> Preprocessing:
        """Change it; Conflict when a recipe that has been run would change."""
        values: dict[str, object] = {"changed_at": now}
        for name in ("name", "memo", "command", "environment", "image"):
            if (value := getattr(change, name)) is not None:
                values[name] = value
        if change.source is not None:
            values |= _of_source(change.source)
        if change.shape is not None:
            values |= _of_shape(change.shape)
        with writing(self._engine) as connection:
            found = _held(connection, preprocessing_id)
            if change.is_of_recipe and found.is_locked and _differs(found, change):
                raise locked(preprocessing_id)
            mine = update(_ROWS).where(_P.number == preprocessing_id)
            connection.execute(mine.values(**values))
            return _known(connection, preprocessing_id)

    def delete(self, preprocessing_id: int) -> None:
        """Forget it; Conflict while there is a run of it."""
        with writing(self._engine) as connection:
            if _held(connection, preprocessing_id).is_locked:
                raise Conflict(
                    "Preprocessing {id} has been run, and its runs are still there.",
                    "Delete its runs first.",
                    id=preprocessing_id,
                )
            connection.execute(delete(_ROWS).where(_P.number == preprocessing_id))

    def done_on(
        self, preprocessing_id: int, data_ids: Collection[int]
    ) -> Mapping[int, int]:
        """Return the run of each of these data that it has been run on (K-55)."""
        query = select(_R.data, _R.number).where(
            _R.preprocessing == preprocessing_id, _R.data.in_(sorted(data_ids))
        )
        with reading(self._engine) as connection:
            return {row.data: row.number for row in connection.execute(query)}


def _held(connection: Connection, number: int) -> Preprocessing:
    """Return one, held: nobody else of the tenant changes anything now."""
    hold_tenant(connection, _known(connection, number).tenant)
    return _known(connection, number)


def _known(connection: Connection, number: int) -> Preprocessing:
    found = _one(connection, number)
    if found is None:
        raise no_preprocessing()
    return found


def _one(connection: Connection, number: int) -> Preprocessing | None:
    query = select(_ROWS, _HAS_RUN.label("is_locked")).where(_P.number == number)
    row = connection.execute(query).first()
    return None if row is None else _preprocessing(row)


def _preprocessing(row: Row[Any]) -> Preprocessing:
    source = Source(row.source_url, row.source_ref, row.source_commit)
    return Preprocessing(
        id=row.number,
        tenant=row.tenant,
        name=row.name,
        memo=row.memo,
        command=row.command,
        environment=row.environment,
        image=row.image or "",
        source=source if source.url else None,
        shape=Shape(row.cpus, row.memory_mb, row.gpus, row.gpu_type),
        is_locked=row.is_locked,
        created_by=row.created_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def _differs(found: Preprocessing, change: PreprocessingChange) -> bool:
    """Tell whether a recipe would really be another one: forms send all of it."""
    wanted = change.source if change.source and change.source.url else None
    return (
        change.command not in (None, found.command)
        or change.environment not in (None, found.environment)
        or change.image not in (None, found.image)
        or (change.source is not None and wanted != found.source)
    )


def _of_source(source: Source | None) -> dict[str, object]:
    url, ref, commit = (source.url, source.ref, source.commit) if source else ("",) * 3
    return {"source_url": url, "source_ref": ref, "source_commit": commit}


def _of_shape(shape: Shape) -> dict[str, object]:
    return {one.name: getattr(shape, one.name) for one in fields(shape)}
