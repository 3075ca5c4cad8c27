"""What the doctor says of the data store."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from kqi_hub import __version__
from kqi_hub.domain.errors import SettingsError, StoreUnavailable
from kqi_hub.services.checks.examine import examine
from kqi_hub.services.checks.finding import Finding, Level
from kqi_hub.services.checks.store_checks import (
    KEY,
    LINKS,
    ROOM,
    STORE,
    TENANTS,
    StoreChecks,
    StoreSources,
    StoreTarget,
)

HEALTHY = {
    "root": "/scratch/kqi-store",
    "version": __version__,
    "free_bytes": 50,
    "total_bytes": 100,
}


def saying(**changes: object) -> StoreSources:
    async def health() -> Mapping[str, Any]:
        return {**HEALTHY, **changes}

    async def unprepared() -> list[str]:
        return []

    return StoreSources(
        target=StoreTarget("/scratch/kqi-store", "/run/kqi-store/store.sock"),
        health=health,
        unprepared=unprepared,
        ticket_key=lambda: b"key",
        is_beside_scratch=lambda: True,
        protects_hard_links=lambda: True,
    )


async def found(sources: StoreSources) -> dict[str, Finding]:
    findings = await examine(StoreChecks(sources).checks())
    return {one.name: one for one in findings}


async def test_a_healthy_store_is_fine_throughout() -> None:
    levels = {one.level for one in (await found(saying())).values()}
    assert levels == {Level.OK}


@pytest.mark.parametrize(
    ("changes", "name", "level"),
    [
        ({"root": "/elsewhere"}, STORE, Level.FAIL),
        ({"version": "0.0.0-old"}, STORE, Level.WARN),
        ({"free_bytes": 4}, ROOM, Level.WARN),
    ],
)
async def test_what_the_store_says_wrong_is_found(
    changes: dict[str, object], name: str, level: Level
) -> None:
    finding = (await found(saying(**changes)))[name]
    assert finding.level is level
    assert finding.todo


async def test_a_silent_store_is_a_failure_with_what_to_do() -> None:
    async def silent() -> Mapping[str, Any]:
        raise StoreUnavailable("It does not answer.")

    findings = await found(replace(saying(), health=silent))
    assert findings[STORE].level is findings[ROOM].level is Level.FAIL
    assert "store.md" in findings[STORE].todo


async def test_tenants_without_a_folder_are_named() -> None:
    async def unprepared() -> list[str]:
        return [f"tenant{number}" for number in range(9)]

    finding = (await found(replace(saying(), unprepared=unprepared)))[TENANTS]
    assert finding.level is Level.FAIL
    assert "tenant0" in finding.seen
    assert "kqi-hub store prepare" in finding.todo


async def test_a_key_that_cannot_be_read_is_a_failure() -> None:
    def refuse() -> bytes:
        raise SettingsError("There is no secret file /etc/kqi/store.key.")

    finding = (await found(replace(saying(), ticket_key=refuse)))[KEY]
    assert finding.level is Level.FAIL


async def test_settings_of_the_system_that_weaken_it_are_warned_of() -> None:
    weak = replace(
        saying(), protects_hard_links=lambda: False, is_beside_scratch=lambda: False
    )
    findings = await found(weak)
    assert findings[LINKS].level is findings[ROOM].level is Level.WARN
