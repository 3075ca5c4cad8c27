"""A hundred thousand files in one item: listed quickly, and never all at once."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.data_items import SqlDataStore
from kqi_hub.db.data_users import NoUsers
from kqi_hub.db.engine import make_engine
from kqi_hub.db.uploads import SqlUploadStore
from kqi_hub.domain.data import DataItem, StoredFile
from kqi_hub.domain.upload_ports import NewData, NewUpload
from tests.fakes.data import NO_QUOTAS

NOW = 1_795_000_000.0
MANY, PAGE, A_FOLDER = 100_000, 5000, 100
# Measured: 1.1 s on SQLite, 2.1 s on PostgreSQL; the bound is for busy machines.
MOST_S = 60.0


def many_files() -> list[StoredFile]:
    """Files in a thousand folders, in the order of their paths."""
    digest = "0" * 64
    paths = (f"d{n // A_FOLDER:04d}/{n:06d}.png" for n in range(MANY))
    return [StoredFile(path, 1, digest) for path in paths]


@pytest.fixture(params=["sqlite_url", "postgresql_url"])
def ready(request: pytest.FixtureRequest) -> Iterator[Engine]:
    engine = make_engine(request.getfixturevalue(request.param), create=True)
    schema.upgrade(engine)
    yield engine
    engine.dispose()


def published(engine: Engine) -> DataItem:
    uploads = SqlUploadStore(engine, NoUsers())
    new = NewUpload("key", "ann", MANY, MANY, NOW, NOW + 100)
    uploads.begin(NewData("vision", "many"), new, NO_QUOTAS)
    uploads.publishing("key", NOW)
    files = many_files()
    for start in range(0, MANY, PAGE):
        assert uploads.add_files("key", files[start : start + PAGE], NOW)
    done = uploads.published("key", NOW)
    assert done is not None
    return done


def test_many_files_come_and_go_within_seconds(ready: Engine) -> None:
    began = time.monotonic()
    item = published(ready)
    store = SqlDataStore(ready, NoUsers())
    came_s = time.monotonic() - began
    assert item.files == MANY
    began = time.monotonic()
    top = store.level(item.id, limit=1000)
    level_s = time.monotonic() - began
    assert [one.name for one in top[:2]] == ["d0000", "d0001"]
    assert len(top) == MANY // A_FOLDER
    assert len(store.level(item.id, "d0500", limit=1000)) == A_FOLDER
    middle = store.files(item.id, "d0500/", 3)
    assert [one.path for one in middle] == [f"d0500/05000{n}.png" for n in range(3)]
    began = time.monotonic()
    store.begin_removal(item.id, NOW)
    store.forget(item.id)
    went_s = time.monotonic() - began
    assert store.one(item.id) is None
    assert came_s + level_s + went_s < MOST_S
