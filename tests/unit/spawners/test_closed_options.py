"""spawners: what a start and a session may say is a closed list."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.apihandlers import default_handlers
from tornado import web

from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause
from kqi_hub.settings.loader import parse_settings
from spawners.callback_bodies import Ended, Ending, Reached, read_port, read_word
from spawners.notebook import NotebookSpawner
from spawners.profiles import checked_profile, known_profiles, notebook_of, profile_for
from tests.fakes.sessions import CHOSEN, KEY, Lab

SETTINGS = """
[cluster]
name = "gpu1"
[database]
url = "sqlite:////var/lib/kqi/kqi.sqlite"
[[preset]]
name = "free-4h"
title = "Free, 4 h"
queue = "jupyter"
"""
KNOWN = known_profiles(parse_settings(SETTINGS, "kqi.toml"))


@pytest.mark.parametrize(
    ("server", "profile"),
    [("nb-1", "notebook"), ("nb-12", "preset:free-4h"), ("agent", "agent")],
)
def test_a_known_profile_of_the_servers_kind_is_taken(
    server: str, profile: str
) -> None:
    assert checked_profile(server, {"profile": profile}, KNOWN) == profile


@pytest.mark.parametrize(
    ("server", "options"),
    [
        ("nb-1", {"profile": "agent"}),
        ("agent", {"profile": "notebook"}),
        ("", {"profile": "notebook"}),
        ("nb-01", {"profile": "notebook"}),
        ("nb-\u0661", {"profile": "notebook"}),
        ("nb-1\n", {"profile": "notebook"}),
        ("nb-1", {"profile": "notebook ", "x": 1}),
        ("nb-1", {"profile": "preset:"}),
        ("nb-1", {"profile": "preset:free-4h\n"}),
        ("nb-1", {"profile": "preset:../x"}),
        ("nb-1", {"profile": "preset:free-4h\0"}),
        ("nb-1", {"Profile": "notebook"}),
        ("nb-1", {"profile": ["notebook"]}),
        ("nb-1", {"profile": {"a": 1}}),
        ("nb-1", {}),
        ("nb-1", None),
        ("nb-1", "notebook"),
    ],
)
def test_everything_else_is_refused(server: str, options: object) -> None:
    with pytest.raises(web.HTTPError) as raised:
        checked_profile(server, options, KNOWN)
    assert raised.value.status_code == 400


def test_a_servers_name_tells_its_notebook() -> None:
    assert [notebook_of(name) for name in ("nb-12", "nb-", "agent", "xnb-1")] == [
        *(12, None, None, None)
    ]


@pytest.mark.parametrize("port", [1024, 65_535])
def test_a_port_is_read(port: int) -> None:
    assert read_port({"port": port}) == port


@pytest.mark.parametrize(
    "body",
    [
        {"port": 1023},
        {"port": 65_536},
        {"port": True},
        {"port": "8888"},
        {"port": 8888.0},
        {"port": None},
        {"port": 8888, "ip": "10.0.0.1"},
        {"exec_prefix": "id"},
        {"port": [8888]},
        [8888],
        8888,
        None,
    ],
)
def test_no_other_word_is_a_port(body: object) -> None:
    with pytest.raises(web.HTTPError):
        read_port(body)


def test_the_words_of_a_session_are_read() -> None:
    assert read_word({"phase": "node"}) == Reached("node")
    assert read_word({"ending": "idle", "seen": {"kernels_busy": 0}}) == Ending(
        "idle", (("kernels_busy", 0),)
    )
    assert read_word({"ended": {"exit_code": 255}}) == Ended(255)


@pytest.mark.parametrize(
    "body",
    [
        {"phase": "ready"},
        {"phase": "queued"},
        {"phase": {}},
        {"phase": "node", "ended": {"exit_code": 0}},
        {"ending": "stopped", "seen": {}},
        {"ending": [], "seen": {}},
        {"ending": "idle", "seen": []},
        {"ending": "idle", "seen": {"a": True}},
        {"ending": "idle", "seen": {"a" * 21: 1}},
        {"ending": "idle", "seen": {"a\n": 1}},
        {"ending": "idle", "seen": {"a": 2**53}},
        {"ended": {"exit_code": -1}},
        {"ended": {"exit_code": True}},
        {"ended": {}},
        {"ended": 0},
        {},
        [],
        "phase",
        None,
    ],
)
def test_no_other_word_is_taken(body: object) -> None:
    with pytest.raises(web.HTTPError) as raised:
        read_word(body)
    assert raised.value.status_code == 400


def test_batchspawners_own_handler_is_not_among_the_hubs() -> None:
    assert not [path for path, *_ in default_handlers if "batchspawner" in path]


@pytest.mark.parametrize(
    "name",
    ["run_command", "submit_batch_script", "query_job_status", "cancel_batch_job"],
)
async def test_what_batchspawner_would_run_is_closed(name: str) -> None:
    spawner: Any = NotebookSpawner()
    spawner.exec_prefix = "id"
    with pytest.raises(web.HTTPError, match="runs no commands"):
        await getattr(spawner, name)("id > /tmp/x")


def test_no_module_of_the_spawners_starts_programs() -> None:
    folder = Path(__file__).parents[3] / "spawners"
    for source in folder.glob("*.py"):
        text = source.read_text()
        assert "subprocess" not in text, source.name
        assert "os.system" not in text, source.name


TAKEN_AWAY = {"profile": "preset:old-day"}


def asked_with(preset: str) -> Lab:
    """Return a hub whose notebook 12 of alice has a session that began with this."""
    lab = Lab()
    lab.store.ask(12, replace(CHOSEN, preset=preset), KEY, lab.now)
    return lab


async def test_a_session_goes_on_after_its_preset_was_taken_away() -> None:
    sessions = asked_with("old-day").sessions
    found = await profile_for(sessions, "alice", "nb-12", TAKEN_AWAY, KNOWN)
    assert found == "preset:old-day"


@pytest.mark.parametrize(
    ("preset", "owner", "server", "options"),
    [
        ("", "alice", "nb-12", TAKEN_AWAY),
        ("other", "alice", "nb-12", TAKEN_AWAY),
        ("old-day", "bob", "nb-12", TAKEN_AWAY),
        ("old-day", "alice", "nb-13", TAKEN_AWAY),
        ("old-day", "alice", "agent", TAKEN_AWAY),
        ("old-day", "alice", "nb-12", {"profile": "preset:old-day\n"}),
        ("old-day", "alice", "nb-12", {**TAKEN_AWAY, "x": 1}),
        ("", "alice", "nb-12", {"profile": "preset:"}),
    ],
)
async def test_a_preset_that_is_no_more_starts_nothing_new(
    preset: str, owner: str, server: str, options: object
) -> None:
    sessions = asked_with(preset).sessions
    with pytest.raises(web.HTTPError) as raised:
        await profile_for(sessions, owner, server, options, KNOWN)
    assert raised.value.status_code == 400


async def test_a_session_that_has_ended_keeps_no_preset_alive() -> None:
    lab = asked_with("old-day")
    [session] = lab.store.live()
    lab.store.ended(session.id, SessionEnd(lab.now, Cause.STOPPED))
    with pytest.raises(web.HTTPError):
        await profile_for(lab.sessions, "alice", "nb-12", TAKEN_AWAY, KNOWN)
