"""Nothing is said to a server that is not proven to be the site's."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from kqi_hub.auth.directory import LdapDirectory
from kqi_hub.auth.ldap_options import ServerAddress, server_address
from kqi_hub.domain.errors import DirectoryUnavailable
from kqi_hub.domain.login import DirectoryVerdict as Verdict
from tests.adapters.auth.certificates import Authority
from tests.adapters.auth.conftest import ServerMaker, options, tls
from tests.adapters.auth.entries import PASSWORD
from tests.adapters.auth.slapd import Slapd


def start_tls(port: int, host: str = "localhost") -> ServerAddress:
    return ServerAddress(host, port, start_tls=True)


def both_ways(server: Slapd, host: str = "localhost") -> list[ServerAddress]:
    return [tls(server.ldaps, host), start_tls(server.ldap, host)]


@pytest.mark.parametrize("way", [0, 1], ids=["ldaps", "starttls"])
def test_a_verified_server_is_asked(
    directory_server: Slapd, authority: Authority, way: int
) -> None:
    client = LdapDirectory(options(authority, both_ways(directory_server)[way]))
    verdict = client.check("alice", PASSWORD).verdict
    client.close()
    assert verdict is Verdict.RIGHT


def test_an_address_in_numbers_is_verified_too(
    directory_server: Slapd, authority: Authority
) -> None:
    client = LdapDirectory(options(authority, tls(directory_server.ldaps, "127.0.0.1")))
    verdict = client.check("alice", PASSWORD).verdict
    client.close()
    assert verdict is Verdict.RIGHT


@pytest.mark.parametrize("way", [0, 1], ids=["ldaps", "starttls"])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("stranger", "certificate verify failed"),
        ("system", "certificate verify failed"),
        ("host", "doesn't match|not valid for"),
        ("old", "certificate has expired"),
    ],
)
def test_a_server_that_cannot_prove_itself_is_told_nothing(
    new_server: ServerMaker,
    authority: Authority,
    stranger: Authority,
    caplog: pytest.LogCaptureFixture,
    way: int,
    fault: str,
    said: str,
) -> None:
    server = new_server(
        host="ldap.example.test" if fault == "host" else "localhost",
        by=stranger if fault == "stranger" else None,
        days=-1 if fault == "old" else 30,
        debug="stats",
    )
    wanted = options(authority, both_ways(server)[way])
    if fault == "system":
        wanted = replace(wanted, ca_file=None)
    client = LdapDirectory(wanted)
    with pytest.raises(DirectoryUnavailable), caplog.at_level(logging.WARNING):
        client.check("alice", PASSWORD)
    client.close()
    assert len([one for one in caplog.records if "fails" in one.message]) == 1
    assert any(words in caplog.text for words in said.split("|"))
    assert "BIND" not in server.log()


def test_tls_older_than_1_2_is_refused(
    new_server: ServerMaker, authority: Authority
) -> None:
    # Debian's slapd is built on GnuTLS, whose ciphers also name the versions.
    ciphers = "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT"
    server = new_server(extra=f"TLSCipherSuite {ciphers}", debug="stats")
    client = LdapDirectory(options(authority, tls(server.ldaps)))
    with pytest.raises(DirectoryUnavailable):
        client.check("alice", PASSWORD)
    client.close()
    assert "BIND" not in server.log()


class FakeServer:
    """Speaks as told to one connection after another, and keeps what it was told."""

    def __init__(self, answer: bytes, pause_s: float) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard = b""
        self._answer, self._pause_s = answer, pause_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            with accepted:
                self._talk(accepted)

    def _talk(self, accepted: socket.socket) -> None:
        try:
            self.heard += accepted.recv(4096)
            for byte in self._answer:
                accepted.sendall(bytes([byte]))
                if self._over.wait(self._pause_s):
                    return
            accepted.settimeout(1)
            self.heard += accepted.recv(4096)
        except OSError:
            return

    def close(self) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def fake_server() -> Iterator[list[FakeServer]]:
    made: list[FakeServer] = []
    yield made
    for server in made:
        server.close()


# extendedResp of message 1: unwillingToPerform.
NO = bytes.fromhex("300c02010178070a013504000400")


@pytest.mark.parametrize(
    "answer",
    [
        NO,
        bytes.fromhex("300c02010178070a010004000400") + b"no TLS follows",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x30\x84\xff\xff\xff\xff",
        b"\xff" * 40,
        b"",
    ],
    ids=[
        "refuses",
        "says yes and goes on in clear",
        "http",
        "huge",
        "noise",
        "nothing",
    ],
)
def test_a_server_without_tls_never_hears_a_password(
    fake_server: list[FakeServer], authority: Authority, answer: bytes
) -> None:
    server = FakeServer(answer, pause_s=0)
    fake_server.append(server)
    wanted = options(authority, start_tls(server.port, "127.0.0.1"))
    client = LdapDirectory(replace(wanted, connect_timeout_s=0.25))
    with pytest.raises(DirectoryUnavailable):
        client.check("alice", PASSWORD)
    client.close()
    assert b"1.3.6.1.4.1.1466.20037" in server.heard
    assert b"password" not in server.heard
    assert b"portal" not in server.heard


def test_a_server_that_trickles_is_given_up_in_time(
    fake_server: list[FakeServer], authority: Authority
) -> None:
    # Each byte comes in time; the whole would take a minute.
    server = FakeServer(b"\x30\x82\x01\x00" + b"x" * 256, pause_s=0.2)
    fake_server.append(server)
    wanted = options(authority, start_tls(server.port, "127.0.0.1"))
    client = LdapDirectory(replace(wanted, connect_timeout_s=0.25))
    began = time.monotonic()
    with pytest.raises(DirectoryUnavailable):
        client.check("alice", PASSWORD)
    assert time.monotonic() - began < 3
    client.close()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ldaps://a.example", ServerAddress("a.example", 636, start_tls=False)),
        ("ldap://a.example", ServerAddress("a.example", 389, start_tls=True)),
        ("ldaps://[2001:db8::1]:6360", ServerAddress("2001:db8::1", 6360, False)),
        ("LDAPS://A.example:1636/", ServerAddress("a.example", 1636, False)),
    ],
)
def test_addresses_say_how_to_encrypt(url: str, address: ServerAddress) -> None:
    assert server_address(url) == address


@pytest.mark.parametrize("url", ["http://a.example", "ldapi:///", "a.example", ""])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="ldap"):
        server_address(url)


def test_an_address_reads_as_it_is_written() -> None:
    addresses = ("ldaps://a.example:636", "ldap://[2001:db8::1]:389")
    assert tuple(str(server_address(one)) for one in addresses) == addresses
