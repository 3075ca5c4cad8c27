"""The site's terms of use, and who accepted which version."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Terms:
    """What everybody accepts before the first use, and again when it changes."""

    version: str
    text: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """That a person accepted a version, when, and from where."""

    person: str
    version: str
    accepted_at: float
    address: str


class TermsStore(Protocol):
    """Acceptances; one is never changed or deleted."""

    def accept(self, acceptance: Acceptance) -> None:
        """Record it; a version accepted before keeps its first record."""

    def accepted(self, person: str) -> tuple[Acceptance, ...]:
        """Return what the person accepted, newest first."""
