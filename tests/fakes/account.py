"""Hand-made ports of /me, all in memory; everybody in `people` has an account."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kqi_hub.auth.ssh_wire import SshWire
from kqi_hub.domain.credentials import Kind, Secret, Service, Stored, Use
from kqi_hub.domain.enrolment import Ticket
from kqi_hub.domain.people import Person
from kqi_hub.domain.ssh_keys import (
    MOST_KEYS,
    PublicKey,
    SshKey,
    same_key,
    too_many_keys,
)
from kqi_hub.domain.terms import Acceptance, Terms
from kqi_hub.services.account import Account
from kqi_hub.services.login import ENROL
from kqi_hub.services.terms_gate import TermsGate
from tests.fakes.login import FakeDesk

SERVICES = (
    Service("github", Use.GIT, Kind.GITHUB, "https://github.com"),
    Service("lab", Use.GIT, Kind.GITBUCKET, "https://git.example.org/gitbucket"),
    Service("dockerhub", Use.REGISTRY, Kind.DOCKERHUB, "https://docker.io"),
    Service("ngc", Use.REGISTRY, Kind.NGC, "https://nvcr.io"),
)
TERMS = Terms("2026-11", "# Rules\n\nBe kind to the queue.\n\n- No mining\n- No <b>\n")
DAY_S = 86_400


def wire(*parts: bytes) -> bytes:
    """Return the parts as SSH sends them, each behind its length."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def ed25519(number: int = 0) -> PublicKey:
    """Return a key that no other number has."""
    point = number.to_bytes(4, "big") + bytes(28)
    blob = base64.b64encode(wire(b"ssh-ed25519", point)).decode()
    return PublicKey("ssh-ed25519", blob)


@dataclass
class FakeSshKeyStore:
    """Keys in a dictionary; numbers go up for ever."""

    held: dict[str, list[SshKey]] = field(default_factory=dict)
    made: int = 0

    def keys(self, person: str) -> tuple[SshKey, ...]:
        return tuple(self.held.get(person, ()))

    def add(self, person: str, name: str, key: PublicKey, now: float) -> SshKey:
        theirs = self.held.setdefault(person, [])
        if any(one.key == key for one in theirs):
            raise same_key(name)
        if len(theirs) >= MOST_KEYS:
            raise too_many_keys()
        self.made += 1
        added = SshKey(self.made, name, key, now)
        theirs.append(added)
        return added

    def remove(self, person: str, key_id: int) -> SshKey | None:
        for one in self.keys(person):
            if one.id == key_id:
                self.held[person].remove(one)
                return one
        return None


@dataclass
class FakeCredentialStore:
    """Credentials in a dictionary, the values beside what may be told of them."""

    held: dict[tuple[str, str], tuple[Stored, Secret]] = field(default_factory=dict)

    def stored(self, person: str) -> tuple[Stored, ...]:
        return tuple(told for (who, _), (told, _) in self.held.items() if who == person)

    def put(self, person: str, service: Service, secret: Secret, now: float) -> bool:
        told = Stored(service.name, service.url, secret.user_name, now, None)
        known = (person, service.name) in self.held
        self.held[person, service.name] = told, secret
        return known

    def remove(self, person: str, service: str) -> bool:
        return self.held.pop((person, service), None) is not None

    def use(self, person: str, service: Service, now: float) -> Secret | None:
        told, secret = self.held.get((person, service.name), (None, None))
        if told is None or secret is None or told.url != service.url:
            return None
        self.held[person, service.name] = replace(told, last_used_at=now), secret
        return secret


@dataclass
class FakeTermsStore:
    """Acceptances in a list; counts how often it is asked."""

    held: list[Acceptance] = field(default_factory=list)
    questions: int = 0

    def accept(self, acceptance: Acceptance) -> None:
        self.held.append(acceptance)

    def accepted(self, person: str) -> tuple[Acceptance, ...]:
        self.questions += 1
        return tuple(one for one in self.held if one.person == person)


@dataclass
class FakeAccount:
    """What /me works with, and the fakes behind it; all have accepted the terms."""

    people: Mapping[str, Iterable[str]]
    desk: FakeDesk = field(default_factory=FakeDesk)
    keys: FakeSshKeyStore = field(default_factory=FakeSshKeyStore)
    credentials: FakeCredentialStore = field(default_factory=FakeCredentialStore)
    terms: FakeTermsStore = field(default_factory=FakeTermsStore)
    terms_in_force: Terms | None = TERMS
    services: tuple[Service, ...] = SERVICES

    def __post_init__(self) -> None:
        for number, (name, groups) in enumerate(self.people.items()):
            known = self.desk.directory.add(name, uid=20_001 + number)
            mail = f"{name}@example.org"
            known.person = Person(
                name, known.person.uid, name.title(), mail, tuple(groups)
            )
            self.terms.accept(Acceptance(name, TERMS.version, 0.0, "192.0.2.1"))

    def account(self) -> Account:
        """Return the account services' parts."""
        return Account(
            desk=self.desk.desk,
            keys=self.keys,
            key_check=SshWire(),
            credentials=self.credentials,
            services=self.services,
            longest_token_s=366 * DAY_S,
            terms=TermsGate(self.desk.desk, self.terms, self.terms_in_force),
        )

    def furnish(self, person: str) -> None:
        """Give a person what the examples of the routes speak of.

        A key, a stored credential, and a key for a new device of which the example's
        code is one.
        """
        key = self.keys.add(person, "laptop", ed25519(7), self.desk.clock.now())
        self.keys.held[person] = [replace(key, id=1)]
        now = self.desk.clock.now()
        self.credentials.put(person, SERVICES[0], Secret("", "ghp_example"), now)
        secret = _secret_with_code(self.desk, "123456")
        self.desk.tickets.issued["gAAAAA"] = Ticket(ENROL, person, "code", secret)
        self.desk.factors.set_up(person, secret, 0, replace=True)


def _secret_with_code(desk: FakeDesk, code: str) -> str:
    """Return a secret whose code is this one now: the fake adds its letters up."""
    step = int(desk.clock.now() // desk.codes.STEP_S)
    total, most = (int(code) - step * 7919) % 1_000_000, 0xD7FF
    return chr(most) * (total // most) + chr(total % most)
