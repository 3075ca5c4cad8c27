"""A portal's database for tests of what is put together; each says its `TABLES`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from kqi_hub.bootstrap.database import open_database, upgrade_database
from kqi_hub.settings.building import build
from kqi_hub.settings.model import Settings


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Return the settings of the test's module, on a database that is there."""
    database = {"url": f"sqlite:///{tmp_path / 'kqi.sqlite'}"}
    built, problems = build({**request.module.TABLES, "database": database})
    assert problems == []
    assert built is not None
    upgrade_database(built)
    return built


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """Return that database, open."""
    opened = open_database(settings)
    yield opened
    opened.dispose()
