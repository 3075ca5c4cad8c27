"""Connect to a directory server and verify its certificate, with exact reasons."""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from kqi_hub.domain.errors import DirectoryUnavailable
from kqi_hub.domain.health import Certificate

_PORTS: Final = {"ldap": 389, "ldaps": 636}
# LDAP's extended request "StartTLS" (RFC 4511, 4.14) as message 1, in BER.
_OID: Final = b"1.3.6.1.4.1.1466.20037"
_START_TLS: Final = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + _OID
# OpenSSL's numbers of the two mistakes that operators make.
_UNKNOWN_ISSUER: Final = frozenset({18, 19, 20, 21})
_WRONG_NAME: Final = frozenset({62, 64})


@dataclass(frozen=True, slots=True)
class Server:
    """Where a directory server is, and whether TLS begins at once."""

    host: str
    port: int
    tls_at_once: bool

    @classmethod
    def parse(cls, url: str) -> "Server":
        """Read ldaps://host[:port] or ldap://host[:port]."""
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        return cls(parts.hostname or "", port, parts.scheme == "ldaps")


def verified_certificate(
    server: Server, ca_file: Path | None, timeout_s: float
) -> Certificate:
    """Return the server's verified certificate, or say what is wrong with it."""
    context = _context(ca_file)
    where = f"{server.host}:{server.port}"
    try:
        with socket.create_connection((server.host, server.port), timeout_s) as raw:
            if not server.tls_at_once:
                _start_tls(raw, where)
            with context.wrap_socket(raw, server_hostname=server.host) as secured:
                return _read(secured)
    except ssl.SSLCertVerificationError as error:
        raise _not_verified(where, error, ca_file) from error
    except OSError as error:
        raise DirectoryUnavailable(
            f"No TLS connection to {where}: {error.strerror or error}.",
            "Check the server, its port, and the firewall between.",
        ) from error


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise DirectoryUnavailable(
            f"directory.ca_file {ca_file} cannot be read: {error.strerror or error}.",
            "It must hold certificates in PEM, readable by the service user.",
        ) from error


def _start_tls(raw: socket.socket, where: str) -> None:
    raw.sendall(_START_TLS)
    answer = raw.recv(4096)
    # The response's result code follows the tag of ENUMERATED, and 0 is success.
    if b"\x0a\x01\x00" not in answer[:32]:
        raise DirectoryUnavailable(
            f"{where} refuses StartTLS.", "Give it a certificate, or use ldaps://."
        )


def _read(secured: ssl.SSLSocket) -> Certificate:
    # The standard library's own types describe this nest of tuples loosely.
    certificate: dict[str, Any] = secured.getpeercert() or {}
    subject = dict(pair for group in certificate.get("subject", ()) for pair in group)
    expires = ssl.cert_time_to_seconds(certificate["notAfter"])
    return Certificate(subject.get("commonName", ""), float(expires))


def _not_verified(
    where: str, error: ssl.SSLCertVerificationError, ca_file: Path | None
) -> DirectoryUnavailable:
    if error.verify_code in _WRONG_NAME:
        todo = "Use a name that the certificate has, or renew it with this one."
    elif error.verify_code in _UNKNOWN_ISSUER:
        used = f"{ca_file}" if ca_file else "the system's certificates"
        todo = f"Its signer is not in {used}: correct directory.ca_file."
    else:
        todo = "Renew the server's certificate."
    reason = error.verify_message.rstrip(".")
    return DirectoryUnavailable(f"{where}'s certificate is refused: {reason}.", todo)
