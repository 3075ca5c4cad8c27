"""Real directory servers for tests, and one that hangs.

Fixtures:
authority     a certificate authority; `stranger` is another one
directory_server   an OpenLDAP with everybody of entries.py, for the whole session
new_server    makes servers for this test alone; own_server is one of them
directory     the client on directory_server
hanging       a server that accepts connections and never says a word
"""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kqi_hub.auth.directory import LdapDirectory
from kqi_hub.auth.ldap_options import DirectoryOptions, ServerAddress
from tests.adapters.auth.certificates import Authority
from tests.adapters.auth.entries import GROUPS, PEOPLE, SERVICE_DN, SERVICE_PASSWORD
from tests.adapters.auth.slapd import SERVER, Slapd


def require_slapd() -> None:
    if SERVER is None:
        message = "slapd is not installed; ./test installs it (.ci/prepare cluster)"
        pytest.skip(message)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "site")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture(scope="session")
def directory_server(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[Slapd]:
    require_slapd()
    certificate = authority.sign("server", "localhost")
    server = Slapd(tmp_path_factory.mktemp("slapd") / "it", certificate)
    server.fill().start()
    yield server
    server.stop()


class ServerMaker:
    """Makes servers for one test; `by` signs the certificate for `host`."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self._folder = folder
        self._authority = authority
        self.made: list[Slapd] = []

    def __call__(
        self,
        host: str = "localhost",
        by: Authority | None = None,
        days: int = 30,
        extra: str = "",
        debug: str = "0",
    ) -> Slapd:
        name = f"server-{len(self.made)}"
        certificate = (by or self._authority).sign(name, host, days)
        server = Slapd(self._folder / name, certificate, extra, debug)
        self.made.append(server)
        return server.fill().start()


@pytest.fixture
def new_server(tmp_path: Path, authority: Authority) -> Iterator[ServerMaker]:
    require_slapd()
    maker = ServerMaker(tmp_path, authority)
    yield maker
    for server in maker.made:
        server.stop()


@pytest.fixture
def own_server(new_server: ServerMaker) -> Slapd:
    return new_server()


class FakeHangingServer:
    """Accepts connections and never answers; a real slapd cannot be made to."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port: int = self._listener.getsockname()[1]
        self._accepted: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def connections(self) -> int:
        return len(self._accepted)

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._accepted.append(accepted)

    def close(self) -> None:
        # shutdown wakes the thread that accepts; close alone would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        for accepted in self._accepted:
            accepted.close()


@pytest.fixture
def hanging() -> Iterator[FakeHangingServer]:
    server = FakeHangingServer()
    yield server
    server.close()


@pytest.fixture
def directory(directory_server: Slapd, authority: Authority) -> Iterator[LdapDirectory]:
    client = LdapDirectory(options(authority, tls(directory_server.ldaps)))
    yield client
    client.close()


def tls(port: int, host: str = "localhost") -> ServerAddress:
    return ServerAddress(host, port, start_tls=False)


def options(
    authority: Authority, *servers: ServerAddress, **changes: object
) -> DirectoryOptions:
    """Return the settings that most tests want; `changes` name fields."""
    usual: dict[str, object] = {
        "servers": servers,
        "ca_file": authority.pem,
        "people_base": PEOPLE,
        "groups_base": GROUPS,
        "bind_dn": SERVICE_DN,
        "bind_password": SERVICE_PASSWORD,
        "connect_timeout_s": 2.0,
        "read_timeout_s": 5.0,
    }
    return DirectoryOptions(**(usual | changes))  # type: ignore[arg-type]  # by name
