"""kqi-hub data compare: what it says without data, and without a store."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from kqi_hub.db.data_items import SqlDataStore
from kqi_hub.db.data_users import NoUsers
from kqi_hub.db.engine import make_engine
from kqi_hub.db.uploads import SqlUploadStore
from kqi_hub.domain.upload_ports import NewData, NewUpload
from tests.fakes.data import NO_QUOTAS

Run = Callable[..., Result]
NOW = 1_795_000_000.0


@pytest.fixture
def with_data(site: Path, kqi_hub: Run) -> Path:
    """Return the database of a site that has data, and no store that answers."""
    settings = site / "kqi.toml"
    nobody = f'[store]\nsocket = "{site}/nobody.sock"\n'
    settings.write_text(settings.read_text() + nobody)
    assert kqi_hub("db", "upgrade").exit_code == 0
    engine = make_engine(f"sqlite:///{site}/kqi.sqlite")
    upload = NewUpload("key", "ann", 1, 3, NOW, NOW + 100)
    SqlUploadStore(engine, NoUsers()).begin(NewData("vision", "a"), upload, NO_QUOTAS)
    engine.dispose()
    return site / "kqi.sqlite"


def test_without_data_there_is_nothing_to_compare(kqi_hub: Run) -> None:
    kqi_hub("db", "upgrade")
    result = kqi_hub("data", "compare")
    assert (result.exit_code, result.stdout) == (0, "No tenant has data yet.\n")
    assert json.loads(kqi_hub("data", "compare", "--json").stdout) == {
        "removed": False,
        "tenants": [],
    }


def test_without_a_database_it_says_what_to_run(kqi_hub: Run) -> None:
    result = kqi_hub("data", "compare")
    assert result.exit_code == 7
    assert "kqi-hub db upgrade" in result.stderr


def test_a_store_that_is_away_is_told_and_remembered(
    kqi_hub: Run, with_data: Path
) -> None:
    result = kqi_hub("data", "compare", "--json")
    [found] = json.loads(result.stdout)["tenants"]
    assert (found["tenant"], found["strays"], found["missing"]) == ("vision", 0, [])
    assert found["trouble"]
    engine = make_engine(f"sqlite:///{with_data}")
    [kept] = SqlDataStore(engine, NoUsers()).comparisons()
    engine.dispose()
    assert kept.trouble == found["trouble"]
    table = kqi_hub("data", "compare", "vision").stdout
    assert table.splitlines()[0].split() == [
        "TENANT",
        "STRAYS",
        "BYTES",
        "MISSING",
        "TROUBLE",
    ]
    assert found["trouble"] in table


def test_a_tenant_without_data_is_not_compared(kqi_hub: Run, with_data: Path) -> None:
    result = kqi_hub("data", "compare", "vision", "nosuch")
    assert result.exit_code == 4
    assert "Tenant nosuch has no data." in result.stderr
    engine = make_engine(f"sqlite:///{with_data}")
    assert SqlDataStore(engine, NoUsers()).comparisons() == ()
    engine.dispose()
