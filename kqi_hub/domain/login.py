"""What can come of a login, and what it needs from the outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from kqi_hub.domain.people import Person
from kqi_hub.domain.throttle import Key, Tally


class FactorMode(StrEnum):
    """Who asks for a second factor."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    DIRECTORY = "directory"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody typed, and from where."""

    name: str
    password: str = field(repr=False)
    code: str = field(repr=False)
    address: str
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """In. `notes` are things to show, such as a password that expires in days."""

    person: Person
    factor: str
    expires_in_s: int | None = None
    grace_left: int | None = None
    recovery_codes_left: int | None = None


@dataclass(frozen=True, slots=True)
class EnrolFirst:
    """The password is right and a second factor has to be set up before going on."""

    person: Person


@dataclass(frozen=True, slots=True)
class ChangePasswordFirst:
    """The password and code are right, the directory wants a new password first.

    `factor` is the second factor that was shown, empty if one must still be set up.
    """

    person: Person
    factor: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Not in. `reason` is for the audit log: people get one and the same answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Too many failures: not even looked at. The same for names that do not exist."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The directory does not answer: nobody's fault, and nothing is counted."""

    reason: str


Outcome = Granted | EnrolFirst | ChangePasswordFirst | Refused | Wait | Unavailable


class DirectoryVerdict(StrEnum):
    """What the directory says of a name and a password."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    DISABLED = "disabled"
    EXPIRED = "expired"
    LOCKED = "locked"
    MUST_CHANGE = "must-change"


@dataclass(frozen=True, slots=True)
class DirectoryAnswer:
    """A verdict, and the entry when the password was right."""

    verdict: DirectoryVerdict
    person: Person | None = None
    expires_in_s: int | None = None
    grace_left: int | None = None


class Directory(Protocol):
    """The site's LDAP. Every method blocks: call it off the loop.

    Raises DirectoryUnavailable when no server answers in time.
    """

    def check(self, name: str, password: str) -> DirectoryAnswer:
        """Check a password; takes as long for a name that does not exist."""

    def lookup(self, name: str) -> Person | None:
        """Return the entry, None when unknown, disabled or expired."""

    def change_password(self, name: str, old: str, new: str, code: str = "") -> None:
        """Change it as the person; InvalidInput carries the policy's own words.

        `code` is for directories that want it appended to the old password.
        """


@dataclass(frozen=True, slots=True)
class Factor:
    """A person's one-time code device; the secret is base32 and stays off screens."""

    person: str
    secret: str = field(repr=False)
    last_step: int


class FactorStore(Protocol):
    """Second factors at rest: secrets encrypted, recovery codes hashed.

    Only confirmed secrets are stored. One that is being set up lives in the ticket of
    the browser that does so: nobody else can have seen it.
    """

    def factor(self, person: str) -> Factor | None:
        """Return the person's factor."""

    def has_factor(self, person: str) -> bool:
        """Tell whether there is one; nothing is decrypted for it."""

    def set_up(
        self, person: str, secret: str, step: int, replace: bool
    ) -> tuple[str, ...] | None:
        """Store a confirmed factor and return fresh recovery codes, once.

        None if there is one already and it is not to be replaced. `step` counts as
        used.
        """

    def accept_step(self, person: str, step: int) -> bool:
        """Raise the last accepted step atomically; False if it was used before."""

    def use_recovery_code(self, person: str, code: str) -> bool:
        """Use up a recovery code atomically; False if unknown or used."""

    def recovery_codes_left(self, person: str) -> int:
        """Return how many recovery codes are unused."""

    def new_recovery_codes(self, person: str) -> tuple[str, ...]:
        """Replace all recovery codes and return the new ones, once.

        Empty if there is no factor.
        """

    def reset(self, person: str) -> bool:
        """Remove the factor and its codes; False if there was none."""


class ThrottleStore(Protocol):
    """Counters of failed logins, shared by every process."""

    def tallies(self, person: str, address: str) -> Mapping[Key, Tally | None]:
        """Return the counters that apply."""

    def count_failure(self, person: str, address: str, now: float) -> None:
        """Count one failure on each of them, atomically."""

    def clear(self, person: str, address: str, now: float) -> None:
        """Forget the pair's failures and remember the address as the person's."""

    def is_known_address(self, person: str, address: str, now: float) -> bool:
        """Tell whether the person logged in from here within the last 30 days."""

    def failures_since(self, since: float) -> int:
        """Return how many failures there were over everybody."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who did what to what, when, from where; never a secret in it."""

    at: float
    actor: str
    action: str
    target: str = ""
    outcome: str = "ok"
    address: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


class KnownPeople(Protocol):
    """What people are called, so that pages need not ask the directory. Blocks."""

    def seen(self, person: Person, now: float) -> None:
        """Note what the directory calls a person by now."""


class AuditLog(Protocol):
    """The append-only record of everything that concerns security."""

    def append(self, event: AuditEvent) -> None:
        """Add one event."""

    def read(
        self,
        actor: str | None = None,
        action: str | None = None,
        since: float | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[tuple[int, AuditEvent], ...]:
        """Return events newest first with their numbers, below `before`."""
