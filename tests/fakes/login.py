"""Hand-made ports of the login, all in memory and all honest about races."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from kqi_hub.domain.enrolment import Invitation, Ticket
from kqi_hub.domain.errors import (
    DirectoryUnavailable,
    InvalidInput,
    WrongPassword,
)
from kqi_hub.domain.login import (
    AuditEvent,
    DirectoryAnswer,
    DirectoryVerdict,
    Factor,
    FactorMode,
)
from kqi_hub.domain.people import Person
from kqi_hub.domain.throttle import Key, Tally, counted
from kqi_hub.services.desk import Desk, LoginRules

T = TypeVar("T")
RIGHT = "right"
HOLDS = (DirectoryVerdict.RIGHT, DirectoryVerdict.MUST_CHANGE)


class FakeClock:
    """Time that passes only when somebody waits, or a test says so."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def elapsed(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


@dataclass
class Account:
    """What the fake directory knows of a person."""

    person: Person
    password: str
    verdict: DirectoryVerdict = DirectoryVerdict.RIGHT
    expires_in_s: int | None = None
    grace_left: int | None = None


@dataclass
class FakeDirectory:
    """An AsyncDirectory of a few accounts; `takes_s` passes on the clock."""

    clock: FakeClock
    accounts: dict[str, Account] = field(default_factory=dict)
    takes_s: float = 0.0
    down: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    def add(self, name: str, password: str = RIGHT, uid: int = 20001) -> Account:
        person = Person(name, uid, name.title(), groups=("kqi-users",))
        self.accounts[name] = Account(person, password)
        return self.accounts[name]

    async def check(self, name: str, password: str) -> DirectoryAnswer:
        self.asked.append((name, password))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.clock.sleep(self.takes_s)
        finally:
            self.at_once -= 1
        if self.down:
            raise DirectoryUnavailable("The directory does not answer.")
        account = self.accounts.get(name)
        if account is None:
            return DirectoryAnswer(DirectoryVerdict.UNKNOWN)
        if account.verdict in HOLDS and password != account.password:
            return DirectoryAnswer(DirectoryVerdict.WRONG)
        person = account.person if account.verdict in HOLDS else None
        return DirectoryAnswer(
            account.verdict, person, account.expires_in_s, account.grace_left
        )

    async def lookup(self, name: str) -> Person | None:
        if self.down:
            raise DirectoryUnavailable("The directory does not answer.")
        account = self.accounts.get(name)
        return account.person if account and account.verdict in HOLDS else None

    async def change_password(
        self, name: str, old: str, new: str, code: str = ""
    ) -> None:
        account = self.accounts[name]
        if old + code != account.password:
            raise WrongPassword("The present password is wrong.")
        if len(new) < 5:
            raise InvalidInput("The directory refuses the new password: too short.")
        account.password = new
        account.verdict = DirectoryVerdict.RIGHT


class FakeFactorStore:
    """Factors in a dictionary behind a lock."""

    def __init__(self) -> None:
        self.factors: dict[str, Factor] = {}
        self.recovery: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self._made = 0

    def factor(self, person: str) -> Factor | None:
        return self.factors.get(person)

    def has_factor(self, person: str) -> bool:
        return person in self.factors

    def set_up(
        self, person: str, secret: str, step: int, replace: bool
    ) -> tuple[str, ...] | None:
        with self._lock:
            if person in self.factors and not replace:
                return None
            self.factors[person] = Factor(person, secret, step)
            return self._fresh(person)

    def accept_step(self, person: str, step: int) -> bool:
        with self._lock:
            factor = self.factors.get(person)
            if factor is None or factor.last_step >= step:
                return False
            self.factors[person] = Factor(person, factor.secret, step)
            return True

    def use_recovery_code(self, person: str, code: str) -> bool:
        with self._lock:
            codes = self.recovery.get(person, [])
            if code not in codes:
                return False
            codes.remove(code)
            return True

    def recovery_codes_left(self, person: str) -> int:
        return len(self.recovery.get(person, ()))

    def new_recovery_codes(self, person: str) -> tuple[str, ...]:
        with self._lock:
            return self._fresh(person) if person in self.factors else ()

    def reset(self, person: str) -> bool:
        with self._lock:
            self.recovery.pop(person, None)
            return self.factors.pop(person, None) is not None

    def _fresh(self, person: str) -> tuple[str, ...]:
        self._made += 1
        codes = [f"RECOVERY{self._made}{letter}" for letter in "ABCDEFGHIJ"]
        self.recovery[person] = codes
        return tuple(codes)


class FakeCodes:
    """Codes that anybody can read: secret S, step 7 gives the code 000007."""

    STEP_S = 30

    def __init__(self) -> None:
        self._made = 0

    def new_secret(self) -> str:
        self._made += 1
        return f"S{self._made}"

    def step(self, secret: str, code: str, now: float) -> int | None:
        this = int(now // self.STEP_S)
        return next(
            (s for s in (this - 1, this, this + 1) if code == self.at(secret, s)), None
        )

    def at(self, secret: str, step: int) -> str:
        return f"{(step * 7919 + sum(map(ord, secret))) % 1_000_000:06d}"

    def invitation(self, person: str, secret: str) -> Invitation:
        return Invitation(f"otpauth://totp/{person}", secret, "<svg/>")


class FakeThrottleStore:
    """Counters as domain.throttle counts them."""

    def __init__(self) -> None:
        self.tally: dict[tuple[Key, str], Tally] = {}
        self.known: dict[tuple[str, str], float] = {}
        self.failures: list[float] = []

    def tallies(self, person: str, address: str) -> Mapping[Key, Tally | None]:
        return {key: self.tally.get((key, of)) for key, of in _keys(person, address)}

    def count_failure(self, person: str, address: str, now: float) -> None:
        for key in _keys(person, address):
            self.tally[key] = counted(self.tally.get(key), now)
        self.failures.append(now)

    def clear(self, person: str, address: str, now: float) -> None:
        self.tally.pop((Key.PAIR, f"{person} {address}"), None)
        self.known[person, address] = now

    def is_known_address(self, person: str, address: str, now: float) -> bool:
        return now - self.known.get((person, address), -1e12) < 30 * 86_400

    def failures_since(self, since: float) -> int:
        return sum(1 for at in self.failures if at >= since)


def _keys(person: str, address: str) -> list[tuple[Key, str]]:
    return [
        (Key.PAIR, f"{person} {address}"),
        (Key.PERSON, person),
        (Key.ADDRESS, address),
    ]


class FakeAuditLog:
    """A list."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []

    def append(self, event: AuditEvent) -> None:
        self.events.append(event)

    def read(
        self,
        actor: str | None = None,
        action: str | None = None,
        since: float | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[tuple[int, AuditEvent], ...]:
        numbered = list(enumerate(self.events, start=1))[::-1]
        fitting = [
            (number, event)
            for number, event in numbered
            if actor in (None, event.actor) and action in (None, event.action)
        ]
        return tuple(fitting[:limit])

    def outcomes(self) -> dict[str, int]:
        counts: dict[str, int] = defaultdict(int)
        for event in self.events:
            counts[event.outcome] += 1
        return dict(counts)


class FakeTickets:
    """Tickets in a dictionary, by a number that cannot be guessed in a test."""

    def __init__(self) -> None:
        self.issued: dict[str, Ticket] = {}

    def issue(self, ticket: Ticket) -> str:
        text = f"ticket-{len(self.issued)}"
        self.issued[text] = ticket
        return text

    def read(self, text: str, stage: str) -> Ticket | None:
        ticket = self.issued.get(text)
        return ticket if ticket and ticket.stage == stage else None


async def _here(work: Callable[[], T]) -> T:
    # Let others run first, as a thread would: a race shows only then.
    await asyncio.sleep(0)
    return work()


@dataclass
class FakeKnownPeople:
    """What people are called, in memory."""

    names: dict[str, str] = field(default_factory=dict)

    def seen(self, person: Person, now: float) -> None:
        self.names[person.name] = person.display_name


@dataclass
class FakeDesk:
    """A desk and the fakes behind it."""

    mode: FactorMode = FactorMode.REQUIRED
    clock: FakeClock = field(default_factory=FakeClock)
    factors: FakeFactorStore = field(default_factory=FakeFactorStore)
    codes: FakeCodes = field(default_factory=FakeCodes)
    throttle: FakeThrottleStore = field(default_factory=FakeThrottleStore)
    audit: FakeAuditLog = field(default_factory=FakeAuditLog)
    tickets: FakeTickets = field(default_factory=FakeTickets)
    people: FakeKnownPeople = field(default_factory=FakeKnownPeople)

    def __post_init__(self) -> None:
        self.directory = FakeDirectory(self.clock)
        self.desk = Desk(
            directory=self.directory,
            factors=self.factors,
            codes=self.codes,
            throttle=self.throttle,
            audit=self.audit,
            people=self.people,
            tickets=self.tickets,
            rules=LoginRules(self.mode, "kqi-users", 1000, failure_time_s=1.0),
            clock=self.clock,
            off_loop=_here,
        )

    def enrol(self, name: str) -> str:
        """Give a person a factor and return its secret."""
        secret = self.codes.new_secret()
        self.factors.set_up(name, secret, 0, replace=True)
        return secret

    def code(self, name: str, steps: int = 0) -> str:
        """Return the code that the person's device shows now."""
        step = int(self.clock.now() // FakeCodes.STEP_S) + steps
        return self.codes.at(self.factors.factors[name].secret, step)
