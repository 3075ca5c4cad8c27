"""Ask for the terms of use: before the first use, and when they change."""

from kqi_hub.domain.errors import Conflict
from kqi_hub.domain.login import AuditEvent, AuditLog
from kqi_hub.domain.terms import Acceptance, Terms, TermsStore


def must_accept(store: TermsStore, terms: Terms | None, person: str) -> bool:
    """Tell whether the person has to read and accept first. Blocks."""
    if terms is None:
        return False
    return all(one.version != terms.version for one in store.accepted(person))


def accept(
    store: TermsStore, audit: AuditLog, terms: Terms, acceptance: Acceptance
) -> None:
    """Record an acceptance of the version in force. Blocks.

    Raises Conflict when the person read another version.
    """
    if acceptance.version != terms.version:
        raise Conflict("The terms have changed meanwhile.", "Read the new ones.")
    store.accept(acceptance)
    audit.append(
        AuditEvent(
            at=acceptance.accepted_at,
            actor=acceptance.person,
            action="terms-accepted",
            target=acceptance.version,
            address=acceptance.address,
        )
    )
