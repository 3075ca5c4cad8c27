"""Telling the hub."""

import time

import pytest

from kqi_hub.runner import hub as hub_module
from kqi_hub.runner.hub import HubVoice
from tests.adapters.runner.order_file import hub_variables, silent
from tests.fakes.session_hub import FakeSessionHub, session_hub, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "_PAUSES_S", (0.05,))


def test_everything_is_told_in_order_with_the_servers_token() -> None:
    with session_hub() as hub:
        voice = HubVoice(hub_variables(hub.port), silent)
        voice.phase("node")
        voice.phase("environment")
        voice.port(40000)
        voice.phase("server")
        voice.ended(3)
        assert [body for _, body in hub.told] == [
            {"phase": "node"},
            {"phase": "environment"},
            {"port": 40000},
            {"phase": "server"},
            {"ended": {"exit_code": 3}},
        ]
        assert set(hub.tokens) == {"token the-token"}


def test_hub_that_is_away_is_told_when_it_is_back() -> None:
    with session_hub() as hub:
        port = hub.port
    said: list[str] = []
    voice = HubVoice(hub_variables(port), said.append)
    begun = time.monotonic()
    voice.phase("node")
    voice.port(40000)
    assert time.monotonic() - begun < 0.1
    until(lambda: said)
    with session_hub(port) as back:
        assert until(back.port_of_server) == 40000
        voice.ended(0)
    assert len([line for line in said if "could not be told" in line]) == 1
    assert any("answers again" in line for line in said)


def refused(hub: FakeSessionHub, status: int) -> None:
    hub.status_of = lambda path: status


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_phase_that_the_hub_refuses_holds_nothing_up(status: int) -> None:
    with session_hub() as hub:
        hub.status_of = lambda path: status if path.endswith("session") else 204
        said: list[str] = []
        voice = HubVoice(hub_variables(hub.port), said.append)
        voice.phase("node")
        voice.port(40000)
        assert until(hub.port_of_server) == 40000
        assert f"it answered {status}" in said[0]
        voice.ended(0)


def test_port_is_told_again_to_a_hub_that_knows_the_server_later() -> None:
    with session_hub() as hub:
        refused(hub, 403)
        voice = HubVoice(hub_variables(hub.port), silent)
        voice.port(40000)
        time.sleep(0.2)
        refused(hub, 204)
        assert until(hub.port_of_server) == 40000
        voice.ended(0)


def test_end_does_not_wait_for_a_hub_that_is_gone() -> None:
    with session_hub() as hub:
        port = hub.port
    voice = HubVoice(hub_variables(port), silent)
    begun = time.monotonic()
    voice.ended(1, patience_s=0.3)
    assert time.monotonic() - begun < 2.0


@pytest.mark.parametrize("url", ["", "nonsense", "http://", "http://[::1", "ftp://x/"])
def test_address_that_is_none_is_said_and_harms_nothing(url: str) -> None:
    said: list[str] = []
    voice = HubVoice({"JUPYTERHUB_API_URL": url}, said.append)
    voice.phase("node")
    until(lambda: said)
    assert "could not be told" in said[0]
    voice.ended(0, patience_s=0.1)
