"""Runs joined as the settings say: scripts, orders, leases, rules."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from kqi_hub.bootstrap.database import open_database, upgrade_database
from kqi_hub.bootstrap.runs import (
    open_run_keeper,
    open_submission,
    run_place,
    run_rules,
    run_world,
)
from kqi_hub.domain.run_ports import NewRun
from kqi_hub.domain.runs import Run, RunKind, RunRules, RunSpec
from kqi_hub.services.submission import Submission
from kqi_hub.settings.loader import load_settings
from kqi_hub.settings.model import Settings

KEY = "abcdefghijklmnopqrstuvwxyz"
SPEC = RunSpec("first", "vision", "cpu", "echo 'a' \"$B\"", lifetime_s=3600)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "kqi.toml"
    file.write_text(
        f"""
[site]
state_dir = "{tmp_path}"
[cluster]
name = "gpu1"
[door]
transport = "socket"
socket = "{tmp_path}/nobody.sock"
timeout_s = 30
[database]
url = "sqlite:///{tmp_path}/kqi.sqlite"
[notebooks]
session_python = "/opt/session/bin/python"
[runs]
default_lifetime_hours = 2
longest_lifetime_hours = 48
variables = ["HTTP_PROXY=http://proxy:3128/?a=b", "COLUMNS=120"]
"""
    )
    return load_settings(file)


def asked(settings: Settings, key: str = KEY) -> Run:
    upgrade_database(settings)
    world = run_world(settings, open_database(settings), "test")
    return world.runs.ask(NewRun(RunKind.TRAINING, "alice", key, SPEC), 1.0)


async def test_a_job_is_made_of_a_script_and_an_order(settings: Settings) -> None:
    run = await asyncio.to_thread(asked, settings)
    world = run_world(settings, open_database(settings), "test")
    script = world.script((run,))
    order = json.loads(world.order(await world.parts((run,))))
    assert script.name == f"training-{run.id}-{KEY}"
    assert f"/scratch/alice/kqi/secrets/{script.name}" in script.text
    assert "/opt/session/bin/python" in script.text
    assert SPEC.command not in script.text
    assert order["run"]["command"] == SPEC.command
    assert order["defaults"] == {
        "HTTP_PROXY": "http://proxy:3128/?a=b",
        "COLUMNS": "120",
    }
    assert order["dataset"] is None


def test_a_lease_outlives_a_call_of_the_door_and_its_name_is_no_others(
    settings: Settings,
) -> None:
    engine = open_database(settings)
    one, other = (run_world(settings, engine, "portal") for _ in range(2))
    assert one.times.lease > settings.door.timeout_s
    assert one.by != other.by


def test_the_site_decides_how_long_runs_may_take(settings: Settings) -> None:
    assert run_rules(settings) == RunRules(2 * 3600, 48 * 3600)
    assert run_place(settings).portal_url == "http://127.0.0.1:8000/services/portal/"


async def test_portal_and_worker_begin_without_asking_anybody(
    settings: Settings,
) -> None:
    await asyncio.to_thread(upgrade_database, settings)
    submission = open_submission(settings, open_database(settings))
    assert submission.under_way == frozenset()
    keeper = open_run_keeper(settings)
    await keeper.take_over()
    await keeper.follow()
    await keeper.tidy()
    await keeper.close()


async def test_without_a_helper_a_run_stays_asked_for(settings: Settings) -> None:
    run = await asyncio.to_thread(asked, settings)
    world = run_world(settings, open_database(settings), "portal")
    quick = replace(world, times=replace(world.times, pause=0.0))
    submission = Submission(quick)
    submission.begin(run.key)
    await submission.idle()
    found = await asyncio.to_thread(world.runs.one, run.id)
    assert found is not None
    assert (found.state, found.job_id) == (run.state, None)
    now = world.clock()
    is_free = await asyncio.to_thread(world.runs.lease, run.key, "other", now, now)
    assert is_free, "the next process goes on at once"
