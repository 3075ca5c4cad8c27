"""Go the whole way with one directory server, as a login does; for the doctor."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ldap3.core.exceptions import LDAPException

from kqi_hub.auth.ldap_options import ServerAddress, server_address
from kqi_hub.auth.ldap_session import (
    BROKEN,
    SUCCESS,
    LdapSession,
    Misconfigured,
    ServerFailed,
)
from kqi_hub.auth.ldap_wire import Deadline, connect, tls_context
from kqi_hub.domain.errors import DirectoryUnavailable
from kqi_hub.domain.health import Certificate

# OpenSSL's numbers of the two mistakes that operators make.
_UNKNOWN_ISSUER: Final = frozenset({18, 19, 20, 21})
_WRONG_NAME: Final = frozenset({62, 64})
_ANYTHING: Final = "(objectClass=*)"
_NO_ATTRIBUTES: Final = ("1.1",)


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
        """Return the certificate after a bind and a search, or say what is wrong."""
        address = server_address(server)
        session, certificate = self._connect(address)
        try:
            session.within(Deadline(self.access.read_timeout_s))
            self._bind(session)
            for key in ("people_base", "groups_base"):
                _find_base(session, key, getattr(self.access, key))
        except ServerFailed as error:
            raise DirectoryUnavailable(
                f"{address} breaks off: {error}.", "See the directory server's log."
            ) from error
        finally:
            session.close()
        return certificate

    def _connect(self, address: ServerAddress) -> tuple[LdapSession, Certificate]:
        context = _context(self.access.ca_file)
        deadline = Deadline(self.access.connect_timeout_s)
        try:
            connection = connect(address, context, deadline)
        except ssl.SSLCertVerificationError as error:
            raise _not_verified(address, error, self.access.ca_file) from error
        except BROKEN as error:
            raise DirectoryUnavailable(
                f"No encrypted connection to {address}: {_words(error)}.",
                "Check its name and port, that it runs, and the firewall between.",
            ) from error
        peer: dict[str, Any] = connection.socket.bare.getpeercert()
        return LdapSession(connection, deadline), _certificate(peer)

    def _bind(self, session: LdapSession) -> None:
        dn, password = self.access.bind_dn, self.access.bind_password()
        if dn is None or password is None:
            answer = session.bind_anonymously()
            said, todo = "Asking without a name", "Set directory.bind_dn and"
        else:
            answer = session.bind(dn, password)
            said, todo = f"The bind as {dn}", "Check directory.bind_dn and"
        if answer.code != SUCCESS:
            raise DirectoryUnavailable(
                f"{said} is refused: {answer.words}.",
                f"{todo} the password in directory.bind_password_file.",
            )


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return tls_context(ca_file)
    except OSError as error:
        raise DirectoryUnavailable(
            f"directory.ca_file {ca_file} cannot be used: {_words(error)}.",
            "It must hold certificates in PEM, readable by the service user.",
        ) from error


def _certificate(peer: dict[str, Any]) -> Certificate:
    subject = dict(pair for group in peer.get("subject", ()) for pair in group)
    ends_at = ssl.cert_time_to_seconds(peer["notAfter"])
    return Certificate(subject.get("commonName", ""), float(ends_at))


def _find_base(session: LdapSession, key: str, base: str) -> None:
    try:
        found = session.read(base, _ANYTHING, _NO_ATTRIBUTES)
        why = "no such entry"
    except Misconfigured as error:
        found, why = (), str(error)
    if not found:
        raise DirectoryUnavailable(
            f"directory.{key} {base} cannot be read: {why}.",
            "Correct it, or let the bind name read there.",
        )


def _not_verified(
    address: ServerAddress, error: ssl.SSLCertVerificationError, ca_file: Path | None
) -> DirectoryUnavailable:
    if error.verify_code in _WRONG_NAME:
        todo = "Use a name that the certificate has, or renew it with this one."
    elif error.verify_code in _UNKNOWN_ISSUER:
        used = f"{ca_file}" if ca_file else "the system's certificates"
        todo = f"Its signer is not in {used}: correct directory.ca_file."
    else:
        todo = "Renew the server's certificate."
    reason = error.verify_message.rstrip(".")
    return DirectoryUnavailable(f"{address}'s certificate is refused: {reason}.", todo)


def _words(error: Exception) -> str:
    if not isinstance(error, OSError | LDAPException):
        return "what it says is no LDAP"
    return str(getattr(error, "strerror", None) or error).rstrip(".")
