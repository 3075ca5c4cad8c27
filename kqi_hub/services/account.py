"""What the services behind /me are given: ports and rules, made by bootstrap."""

from dataclasses import dataclass

from kqi_hub.domain.credentials import CredentialStore, Service
from kqi_hub.domain.errors import NotPermitted
from kqi_hub.domain.login import AuditEvent
from kqi_hub.domain.people import Person
from kqi_hub.domain.ssh_keys import KeyCheck, SshKeyStore
from kqi_hub.services.desk import Desk
from kqi_hub.services.proving import Who
from kqi_hub.services.terms_gate import TermsGate


@dataclass(frozen=True, slots=True)
class Account:
    """Everything that people change about themselves; one a process."""

    desk: Desk
    keys: SshKeyStore
    key_check: KeyCheck
    credentials: CredentialStore
    services: tuple[Service, ...]
    longest_token_s: int
    terms: TermsGate

    def now(self) -> float:
        """Return epoch seconds."""
        return self.desk.clock.now()

    def note(self, who: Who, action: str, target: str, **detail: str) -> None:
        """Audit what somebody changed about themselves. Blocks."""
        self.desk.audit.append(
            AuditEvent(
                at=self.now(),
                actor=who.person,
                action=action,
                target=target,
                address=who.address,
                detail={key: value for key, value in detail.items() if value},
            )
        )


async def profile(account: Account, person: str) -> Person:
    """Return the directory's entry; NotPermitted when it no longer has an open one.

    Raises DirectoryUnavailable when no server answers.
    """
    entry = await account.desk.directory.lookup(person)
    if entry is None:
        raise NotPermitted(
            "The directory no longer lets {person} in.",
            "Ask the site's operators.",
            person=person,
        )
    return entry
