"""Queues read from the worker's own tables, as the portal does it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from kqi_hub.bootstrap.database import (
    open_association_store,
    open_database,
    upgrade_database,
)
from kqi_hub.bootstrap.queues import open_queues
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.cluster import Association
from kqi_hub.domain.notebooks import Shape
from kqi_hub.services.freshness import Trust
from kqi_hub.settings.building import build
from kqi_hub.settings.model import Settings
from tests.fakes.people import association
from tests.fakes.queues import reading

TABLES = {
    "cluster": {"name": "gpu1"},
    "rate": [{"queue": "v100", "per_gpu": "30"}],
    "preset": [{"name": "one", "title": "One", "queue": "cpu"}],
}
KNOWN: tuple[Association, ...] = (
    association("", "vision"),
    association("mia", "vision"),
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    database = {"url": f"sqlite:///{tmp_path / 'kqi.sqlite'}"}
    built, problems = build({**TABLES, "database": database})
    assert problems == []
    assert built is not None
    upgrade_database(built)
    return built


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    opened = open_database(settings)
    yield opened
    opened.dispose()


async def test_what_the_worker_stores_is_what_people_see(
    settings: Settings, engine: Engine
) -> None:
    queues = open_queues(settings, engine)
    assert (await queues.board.current()).trust is Trust.NONE
    store = SqlSnapshotStore(engine, "gpu1")
    open_association_store(settings, engine).keep(KNOWN)
    store.save(reading(time.time()), {})
    queues = open_queues(settings, engine)
    picture, found = await queues.list("mia", "vision")
    assert picture.trust is Trust.FRESH
    names = [one.name for one in found if one.obstacle is None]
    assert names == ["jupyter", "v100", "a100", "cpu"]
    estimate = await queues.estimate(picture, found[1], Shape(1, 1024, 1), 3600)
    assert estimate.price is not None
    # Four GPUs of the node, whatever is asked of them.
    assert estimate.price.per_hour == 120_000_000
    assert estimate.wait.outlook.value == "now"


async def test_a_refresh_reaches_the_worker(settings: Settings, engine: Engine) -> None:
    store = SqlSnapshotStore(engine, "gpu1")
    store.save(reading(time.time() - 60), {})
    asked_at = await open_queues(settings, engine).refresh()
    assert store.refresh_requested_at() == asked_at
