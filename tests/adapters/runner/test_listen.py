"""Where a notebook's server listens."""

import socket

import pytest

from kqi_hub.runner.listen import NoAddress, listen

HUB = "http://127.0.0.1:8081/hub/api"


def test_hub_on_loopback_is_listened_to_on_loopback_alone() -> None:
    with listen(HUB, {"SLURMD_NODENAME": "gpu01"}) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_connection_is_taken_before_there_is_a_server() -> None:
    with listen(HUB) as listener, socket.create_connection(listener.getsockname(), 1):
        pass


def test_two_sessions_never_share_a_port() -> None:
    with listen(HUB) as one, listen(HUB) as other:
        assert one.getsockname() != other.getsockname()


def named(monkeypatch: pytest.MonkeyPatch, **names: str) -> None:
    def resolve(name: str, *_: object, **__: object) -> list[object]:
        if name not in names:
            raise socket.gaierror(-2, "Name or service not known")
        address = (names[name], 0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def test_nodes_name_that_leads_to_loopback_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As Debian writes it down; 192.0.2.1 is nobody's, and nobody's route is known.
    named(monkeypatch, hub="192.0.2.1", gpu01="127.0.1.1")
    try:
        with listen("http://hub:1", {"SLURMD_NODENAME": "gpu01"}, lambda: "") as found:
            assert not found.getsockname()[0].startswith("127.")
    except NoAddress as error:
        assert "127.0.1.1" not in str(error)


def test_address_that_is_another_machines_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named(monkeypatch, gpu01="192.0.2.7")
    with pytest.raises(NoAddress, match=r"192\.0\.2\.7"):
        listen("http://hub:1", {"SLURMD_NODENAME": "gpu01"}, lambda: "")


def test_unknown_hub_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch)
    with pytest.raises(NoAddress, match="is unknown"):
        listen("http://nowhere:1/hub/api", {}, lambda: "")
