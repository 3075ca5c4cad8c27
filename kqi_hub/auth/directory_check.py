"""Go the whole way with one directory server: TLS, bind, search; for the doctor."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import ldap3
from ldap3.core.exceptions import LDAPException

from kqi_hub.auth.tls_check import Server, verified_certificate
from kqi_hub.domain.errors import DirectoryUnavailable
from kqi_hub.domain.health import Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryAccess:
    """How the portal talks to its directory; the password is read when needed."""

    people_base: str
    groups_base: str
    ca_file: Path | None
    bind_dn: str | None
    bind_password: Callable[[], str | None]
    connect_timeout_s: float
    read_timeout_s: float


@dataclass(frozen=True, slots=True)
class DirectoryCheck:
    """Try one server as the portal would use it; blocks, so call it aside."""

    access: DirectoryAccess

    def look(self, server: str) -> Certificate:
        """Return the certificate after a bind and a search."""
        place, access = Server.parse(server), self.access
        certificate = verified_certificate(
            place, access.ca_file, access.connect_timeout_s
        )
        try:
            self._bind_and_search(place)
        except LDAPException as error:
            raise DirectoryUnavailable(
                f"{place.host}:{place.port} breaks off: {error}.",
                "See the directory server's log.",
            ) from error
        return certificate

    def _bind_and_search(self, server: Server) -> None:
        connection = self._connection(server)
        try:
            connection.open()
            if not server.tls_at_once:
                connection.start_tls()
            if not connection.bind():
                raise _bind_refused(self.access, connection.result)
            for key in ("people_base", "groups_base"):
                _find_base(connection, key, getattr(self.access, key))
        finally:
            connection.unbind()

    def _connection(self, server: Server) -> ldap3.Connection:
        access = self.access
        ca_file = None if access.ca_file is None else str(access.ca_file)
        host = ldap3.Server(
            server.host,
            port=server.port,
            use_ssl=server.tls_at_once,
            tls=ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=ca_file),
            get_info=ldap3.NONE,
            connect_timeout=access.connect_timeout_s,
        )
        return ldap3.Connection(
            host,
            user=access.bind_dn,
            password=access.bind_password(),
            authentication=ldap3.SIMPLE if access.bind_dn else ldap3.ANONYMOUS,
            receive_timeout=ceil(access.read_timeout_s),  # whole seconds only
            read_only=True,
        )


def _find_base(connection: ldap3.Connection, key: str, base: str) -> None:
    found = connection.search(base, "(objectClass=*)", ldap3.BASE, attributes=["1.1"])
    if found:
        return
    said = connection.result["description"]
    raise DirectoryUnavailable(
        f"directory.{key} {base} cannot be read: {said}.",
        "Correct it, or let the bind name read there.",
    )


def _bind_refused(
    access: DirectoryAccess, result: dict[str, object]
) -> DirectoryUnavailable:
    if access.bind_dn is None:
        return DirectoryUnavailable(
            f"Searching without a name is refused: {result['description']}.",
            "Set directory.bind_dn and directory.bind_password_file.",
        )
    return DirectoryUnavailable(
        f"The bind as {access.bind_dn} is refused: {result['description']}.",
        "Check directory.bind_dn and the password in directory.bind_password_file.",
    )
