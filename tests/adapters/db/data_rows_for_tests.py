"""Rows of data, written as they are: the stores of datasets read them."""

from collections.abc import Mapping
from typing import cast

from sqlalchemy import Engine, delete, insert, update

from kqi_hub.db.data_tables import (
    DataFileRow,
    DataItemRow,
    DataParentRow,
    DataRemovalRow,
    DataTagRow,
    UploadRow,
)
from kqi_hub.db.engine import writing
from kqi_hub.domain.data import DataState

FILES = {"a/one.txt": 3, "b.bin": 40}


def add_data(
    engine: Engine,
    files: Mapping[str, int] = FILES,
    *,
    tenant: str = "vision",
    name: str = "signs",
    state: DataState = DataState.READY,
    tags: tuple[str, ...] = (),
    parents: tuple[int, ...] = (),
) -> int:
    """Add an item of these files, and return its number."""
    item = {
        "tenant": tenant,
        "name": name,
        "memo": "",
        "state": state.value,
        "origin": "upload",
        "files": len(files),
        "bytes": sum(files.values()),
        "version": 1,
        "created_by": "mia",
        "created_at": 5.0,
        "changed_at": 5.0,
    }
    with writing(engine) as connection:
        done = connection.execute(insert(DataItemRow), item)
        number = int(cast("tuple[int]", done.inserted_primary_key)[0])
        rows = [
            {"data_id": number, "path": p, "size": s, "sha256": "", "version": 1}
            for p, s in files.items()
        ]
        if rows:
            connection.execute(insert(DataFileRow), rows)
        for tag in tags:
            row = {"data_id": number, "tag": tag, "tenant": tenant}
            connection.execute(insert(DataTagRow), row)
        for parent in parents:
            row = {"data_id": number, "parent": parent}
            connection.execute(insert(DataParentRow), row)
    return number


def add_files(engine: Engine, number: int, files: Mapping[str, int]) -> None:
    """Let an item be a version further, with more files."""
    row = DataItemRow.__table__.c
    with writing(engine) as connection:
        values = {
            "version": row.version + 1,
            "files": row.files + len(files),
            "bytes": row.bytes + sum(files.values()),
        }
        statement = update(DataItemRow).where(row.number == number)
        connection.execute(statement.values(**values))
        rows = [
            {"data_id": number, "path": p, "size": s, "sha256": "", "version": 2}
            for p, s in files.items()
        ]
        connection.execute(insert(DataFileRow), rows)


def begin_publishing(engine: Engine, number: int) -> None:
    """Let an upload into an item be published just now."""
    row = {
        "key": f"up-{number}",
        "data_id": number,
        "tenant": "vision",
        "person": "mia",
        "state": "publishing",
        "files": 1,
        "bytes": 1,
        "began_at": 1.0,
        "changed_at": 1.0,
        "expires_at": 9.0,
        "is_kept": True,
    }
    with writing(engine) as connection:
        connection.execute(insert(UploadRow), row)


def end_publishing(engine: Engine, number: int) -> None:
    """Let it be done."""
    with writing(engine) as connection:
        statement = update(UploadRow).where(UploadRow.data_id == number)
        connection.execute(statement.values(state="done"))


def begin_taking(engine: Engine, number: int, path: str) -> None:
    """Let a file have left an item that is still in the store."""
    row = {"data_id": number, "path": path, "asked_at": 1.0}
    with writing(engine) as connection:
        connection.execute(insert(DataRemovalRow), row)


def forget_data(engine: Engine, number: int) -> None:
    """Remove an item for good, as the last step of its deletion."""
    with writing(engine) as connection:
        for table in (DataFileRow, DataTagRow, DataParentRow):
            connection.execute(delete(table).where(table.data_id == number))
        connection.execute(delete(DataItemRow).where(DataItemRow.number == number))
