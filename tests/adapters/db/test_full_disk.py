"""SQLite's words for a full disk are many; people are told that it is full."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from kqi_hub.db.engine import make_engine, reading
from kqi_hub.domain.errors import DatabaseNotReady


@pytest.mark.parametrize(("free", "is_told"), [(0, True), (10**9, False)])
def test_a_fault_on_a_full_disk_is_told_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, is_told: bool
) -> None:
    file = tmp_path / "kqi.sqlite"
    engine = make_engine(f"sqlite:///{file}", create=True)
    with reading(engine) as connection:
        connection.execute(text("SELECT 1"))
    engine.dispose()
    file.write_bytes(b"no database " * 1000)
    # A named fake: a full disk whose free bytes are counted as the test says.
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    with pytest.raises(DatabaseNotReady) as told, reading(engine) as connection:
        connection.execute(text("SELECT 1"))
    assert ("the disk is full (" in told.value.message) is is_told
