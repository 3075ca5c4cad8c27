"""What an operator wants to see of one person's login."""

from dataclasses import dataclass

from kqi_hub.domain.errors import DirectoryUnavailable
from kqi_hub.domain.login import AuditEvent, AuditLog, Directory, FactorStore
from kqi_hub.domain.people import Person
from kqi_hub.domain.terms import Acceptance, TermsStore

_EVENTS = 10


@dataclass(frozen=True, slots=True)
class PersonReport:
    """A person as the directory and the portal know them.

    `entry` is None when the directory has nobody open of this name, or did not answer
    (`directory_error` says so then).
    """

    name: str
    entry: Person | None
    directory_error: str
    has_factor: bool
    recovery_codes_left: int
    accepted_terms: tuple[Acceptance, ...]
    last_events: tuple[AuditEvent, ...]


@dataclass(frozen=True, slots=True)
class ReportSources:
    """Where a report's parts come from."""

    directory: Directory
    factors: FactorStore
    terms: TermsStore
    audit: AuditLog


def report(sources: ReportSources, name: str) -> PersonReport:
    """Gather everything about a person. Blocks."""
    entry, error = _entry(sources.directory, name)
    return PersonReport(
        name=name,
        entry=entry,
        directory_error=error,
        has_factor=sources.factors.has_factor(name),
        recovery_codes_left=sources.factors.recovery_codes_left(name),
        accepted_terms=sources.terms.accepted(name),
        last_events=tuple(
            event for _, event in sources.audit.read(actor=name, limit=_EVENTS)
        ),
    )


def _entry(directory: Directory, name: str) -> tuple[Person | None, str]:
    try:
        return directory.lookup(name), ""
    except DirectoryUnavailable as error:
        return None, str(error)
