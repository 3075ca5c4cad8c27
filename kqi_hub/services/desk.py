"""What the login services are given: ports, rules and a clock, made by bootstrap."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from kqi_hub.domain.enrolment import CodeBook, Tickets
from kqi_hub.domain.login import (
    AuditLog,
    DirectoryAnswer,
    FactorMode,
    FactorStore,
    KnownPeople,
    ThrottleStore,
)
from kqi_hub.domain.people import Person
from kqi_hub.services.gates import Gates
from kqi_hub.services.seldom import Seldom

T = TypeVar("T")


class AsyncDirectory(Protocol):
    """The directory off the loop, with a deadline; raises DirectoryUnavailable."""

    async def check(self, name: str, password: str) -> DirectoryAnswer:
        """Check a password; takes as long for a name that does not exist."""

    async def lookup(self, name: str) -> Person | None:
        """Return the entry, None when unknown, disabled or expired."""

    async def change_password(
        self, name: str, old: str, new: str, code: str = ""
    ) -> None:
        """Change it as the person; InvalidInput carries the policy's own words."""


class Clock(Protocol):
    """Time, and waiting."""

    def now(self) -> float:
        """Return epoch seconds."""

    def elapsed(self) -> float:
        """Return seconds of a clock that is never set."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return epoch seconds."""
        return time.time()

    def elapsed(self) -> float:
        """Return seconds of a clock that is never set."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class LoginRules:
    """What the site decided."""

    mode: FactorMode
    portal_group: str
    min_uid: int
    failure_time_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that the login services work with; one a process."""

    directory: AsyncDirectory
    factors: FactorStore
    codes: CodeBook
    throttle: ThrottleStore
    audit: AuditLog
    tickets: Tickets
    rules: LoginRules
    people: KnownPeople
    clock: Clock = field(default_factory=SystemClock)
    gates: Gates = field(default_factory=Gates)
    seldom: Seldom = field(default_factory=Seldom)
    # Databases block: their calls leave the loop in one hop for each step.
    off_loop: Callable[[Callable[[], T]], Awaitable[T]] = asyncio.to_thread
    # Gives connections and threads back, when a process ends or reads new settings.
    close: Callable[[], None] = lambda: None
