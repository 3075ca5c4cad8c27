"""The doctor's look at a real OpenLDAP says exactly what is wrong."""

import socket
import threading
import time
from pathlib import Path

import pytest

from kqi_hub.auth.directory_check import DirectoryAccess, DirectoryCheck
from kqi_hub.domain.errors import DirectoryUnavailable
from tests.adapters.auth.certificates import Authority
from tests.adapters.auth.conftest import FakeHangingServer, ServerMaker
from tests.adapters.auth.entries import GROUPS, PEOPLE, SERVICE_DN, SERVICE_PASSWORD
from tests.adapters.auth.slapd import Slapd, free_port

DAY_S = 86400


def look(server: str, ca_file: Path | None, **changes: object) -> float:
    """Return in how many days the certificate ends."""
    usual: dict[str, object] = {
        "people_base": PEOPLE,
        "groups_base": GROUPS,
        "ca_file": ca_file,
        "bind_dn": SERVICE_DN,
        "bind_password": lambda: SERVICE_PASSWORD,
        "connect_timeout_s": 2.0,
        "read_timeout_s": 2.5,
    }
    access = DirectoryAccess(**(usual | changes))  # type: ignore[arg-type]  # by name
    certificate = DirectoryCheck(access).look(server)
    return (certificate.expires_at - time.time()) / DAY_S


def ways(server: Slapd, host: str = "localhost") -> tuple[str, str]:
    return f"ldaps://{host}:{server.ldaps}", f"ldap://{host}:{server.ldap}"


def complaint(server: str, ca_file: Path | None, **changes: object) -> str:
    with pytest.raises(DirectoryUnavailable) as caught:
        look(server, ca_file, **changes)
    assert caught.value.hint
    return str(caught.value)


@pytest.mark.parametrize("way", [0, 1], ids=["ldaps", "starttls"])
def test_healthy_server_tells_its_certificate_s_end(
    directory_server: Slapd, authority: Authority, way: int
) -> None:
    days = look(ways(directory_server)[way], authority.pem)
    assert 29 < days < 31


@pytest.mark.parametrize("way", [0, 1], ids=["ldaps", "starttls"])
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("stranger", ("issuer", "correct directory.ca_file")),
        ("system", ("issuer", "the system's certificates")),
        ("host", ("not valid for 'localhost'", "Use a name that")),
        ("old", ("has expired", "Renew")),
    ],
)
def test_certificate_s_fault_and_remedy_are_named(
    new_server: ServerMaker,
    authority: Authority,
    stranger: Authority,
    way: int,
    fault: str,
    words: tuple[str, str],
) -> None:
    server = new_server(
        host="ldap.example.test" if fault == "host" else "localhost",
        by=stranger if fault == "stranger" else None,
        days=-1 if fault == "old" else 30,
    )
    ca_file = None if fault == "system" else authority.pem
    said = complaint(ways(server)[way], ca_file)
    for word in words:
        assert word in said


def test_ca_file_that_cannot_be_read_is_named(
    directory_server: Slapd, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    for name in ("gone.pem", "empty.pem"):
        said = complaint(ways(directory_server)[0], tmp_path / name)
        assert name in said
        assert "PEM" in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bind_password": lambda: "wrong"}, ("refused", "bind_password_file")),
        ({"bind_dn": "cn=nobody"}, ("cn=nobody is refused", "bind_dn")),
        ({"people_base": "ou=gone,dc=kqi,dc=test"}, ("people_base", "no such entry")),
        ({"groups_base": "ou=gone,dc=kqi,dc=test"}, ("groups_base", "no such entry")),
        (
            {"bind_dn": None, "bind_password": lambda: None},
            ("people_base", "let the bind name read"),
        ),
    ],
)
def test_wrong_bind_or_base_is_named(
    directory_server: Slapd,
    authority: Authority,
    changes: dict[str, object],
    words: tuple[str, str],
) -> None:
    said = complaint(ways(directory_server)[0], authority.pem, **changes)
    for word in words:
        assert word in said
    assert SERVICE_PASSWORD not in said


def test_stopped_server_is_told(authority: Authority) -> None:
    said = complaint(f"ldaps://localhost:{free_port()}", authority.pem)
    assert "Connection refused" in said


def test_unknown_host_is_told(authority: Authority) -> None:
    said = complaint("ldaps://no-such-host.invalid", authority.pem)
    assert "no-such-host.invalid" in said


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_hanging_server_costs_the_time_limit(
    hanging: FakeHangingServer, authority: Authority, scheme: str
) -> None:
    began = time.monotonic()
    said = complaint(f"{scheme}://127.0.0.1:{hanging.port}", authority.pem)
    assert "timed out" in said or "took too long" in said
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("answer", [b"", b"\x00" * 40, b"HTTP/1.1 400 Bad Request\r\n"])
def test_server_that_speaks_something_else_is_told(
    authority: Authority, answer: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            accepted, _ = listener.accept()
            with accepted:
                accepted.recv(100)
                accepted.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        said = complaint(f"ldap://127.0.0.1:{port}", authority.pem)
        assert "No encrypted connection" in said
        thread.join()
