"""Data joined as the settings say: quotas, times, warnings."""

from dataclasses import replace
from pathlib import Path

import pytest

from kqi_hub.bootstrap.data import open_data, open_data_keeper, quotas_of
from kqi_hub.bootstrap.database import open_database, upgrade_database
from kqi_hub.domain.errors import KqiError, StoreUnavailable
from kqi_hub.domain.upload_ports import NewData, Quota, Quotas
from kqi_hub.settings.loader import load_settings
from kqi_hub.settings.model import Settings
from kqi_hub.settings.store import StoreQuota
from tests.fakes.data import asker

GIB = 1024**3


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "kqi.toml"
    file.write_text(
        f"""
[site]
state_dir = "{tmp_path}"
[cluster]
name = "gpu1"
[database]
url = "sqlite:///{tmp_path}/kqi.sqlite"
[store]
socket = "{tmp_path}/nobody.sock"
key_file = "{tmp_path}/store.key"
tenant_gb = 100
person_gb = 10
person_files = 1000
upload_days = 3
[[store_quota]]
tenant = "vision"
files = 5
"""
    )
    key = tmp_path / "store.key"
    key.write_text("k" * 40)
    key.chmod(0o600)
    return load_settings(file)


@pytest.mark.parametrize(
    ("tenant", "quota"),
    [("nlp", Quota(None, 100 * GIB)), ("vision", Quota(5, None))],
)
def test_a_tenant_has_its_own_quota_or_the_usual_one(
    settings: Settings, tenant: str, quota: Quota
) -> None:
    assert quotas_of(settings)(tenant) == Quotas(quota, Quota(1000, 10 * GIB))


def test_without_settings_there_is_no_limit(settings: Settings) -> None:
    free = replace(
        settings,
        store=replace(
            settings.store, tenant_gb=None, person_gb=None, person_files=None
        ),
        store_quota=(StoreQuota(tenant="vision"),),
    )
    for tenant in ("nlp", "vision"):
        assert quotas_of(free)(tenant) == Quotas(Quota(), Quota())


async def test_a_person_begins_an_upload_while_the_store_is_away(
    settings: Settings,
) -> None:
    upgrade_database(settings)
    engine = open_database(settings)
    parts = open_data(settings, engine)
    ann = asker("ann")
    _, sent = await parts.uploads.create(ann, NewData("vision", "signs"), 5, 9)
    assert sent.ticket.startswith("kqi1.")
    assert sent.upload.expires_at - sent.upload.began_at == 3 * 24 * 3600
    with pytest.raises(KqiError, match="5 of 5"):
        await parts.uploads.create(ann, NewData("vision", "more"), 1, 1)
    with pytest.raises(StoreUnavailable):
        await parts.uploads.finish(ann, sent.upload.key)
    [found] = await open_data_keeper(settings).compare()
    assert found.trouble
    engine.dispose()
