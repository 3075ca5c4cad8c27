"""What it takes to set up a one-time code device, and proof of having got half way."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a person needs to set up a code device; never stored, never cached."""

    uri: str = field(repr=False)
    key: str = field(repr=False)
    qr_svg: str = field(repr=False)


class CodeBook(Protocol):
    """One-time codes: computing, no storage."""

    def new_secret(self) -> str:
        """Return a fresh secret."""

    def step(self, secret: str, code: str, now: float) -> int | None:
        """Return the time step that a code belongs to, None if it is wrong."""

    def invitation(self, person: str, secret: str) -> Invitation:
        """Return QR code, address and typed key of a secret."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Proof that somebody got half way.

    `factor` is the second factor that was shown, empty if none; `secret` is the one
    that a person is setting up.
    """

    stage: str
    person: str
    factor: str = ""
    secret: str = field(default="", repr=False)


class Tickets(Protocol):
    """Sealed proofs that a browser keeps between two steps of a login."""

    def issue(self, ticket: Ticket) -> str:
        """Return the sealed text."""

    def read(self, text: str, stage: str) -> Ticket | None:
        """Return the ticket; None if forged, of another stage, or over 15 min old."""
