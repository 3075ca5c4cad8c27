"""Tickets: the portal's word to the store and to agents about one upload.

The portal decides who may do what; the store asks no database. A ticket is what the
portal says, signed with a key that both have and nobody else.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from typing import Final

from kqi_hub.domain.errors import NotPermitted

LIFETIME_S: Final = 24 * 3600.0
_LONGEST: Final = 2048
_VERSION: Final = "kqi1"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who may send what for which upload, until when."""

    upload: str
    tenant: str
    person: str
    files: int
    bytes: int
    until: float


class BadTicket(NotPermitted):
    """A ticket that the portal has not signed, or that is too old."""

    code = "bad-ticket"


def signed(ticket: Ticket, key: bytes) -> str:
    """Return the ticket as text for a header."""
    body = json.dumps(asdict(ticket), separators=(",", ":")).encode()
    said = base64.urlsafe_b64encode(body).decode().rstrip("=")
    return f"{_VERSION}.{said}.{_seal(said, key)}"


def checked(text: str, key: bytes, now: float) -> Ticket:
    """Return what a ticket says, or refuse it."""
    parts = text.split(".") if len(text) <= _LONGEST and text.isascii() else []
    if len(parts) != 3 or parts[0] != _VERSION:
        raise _refusal()
    if not hmac.compare_digest(parts[2], _seal(parts[1], key)):
        raise _refusal()
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        ticket = Ticket(**json.loads(base64.urlsafe_b64decode(padded)))
    except (ValueError, TypeError, binascii.Error) as error:
        raise _refusal() from error
    if ticket.until < now:
        raise BadTicket(
            "The ticket of this upload is too old.",
            "Ask the portal for the upload again: it comes with a new ticket.",
        )
    return ticket


def _seal(text: str, key: bytes) -> str:
    return hmac.new(key, f"{_VERSION}.{text}".encode(), hashlib.sha256).hexdigest()


def _refusal() -> BadTicket:
    return BadTicket(
        "This is no ticket of the portal's.",
        "Ask the portal for the upload: its answer has the ticket.",
    )
