"""Ask somebody who is logged in for a proof again, throttled like a login."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from kqi_hub.domain.errors import TooManyAttempts
from kqi_hub.domain.login import AuditEvent
from kqi_hub.domain.people import Standing
from kqi_hub.domain.throttle import refusal_s
from kqi_hub.services.desk import Desk
from kqi_hub.services.gates import Place, QueueFull
from kqi_hub.services.settling import Caller


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody whose session is proven, and from where they ask.

    `standing` is there where it decides what they may choose.
    """

    person: str
    address: str
    standing: Standing | None = field(default=None, compare=False, repr=False)


@asynccontextmanager
async def throttled(desk: Desk, who: Who) -> AsyncIterator[Caller]:
    """Let one proof at a time through; raise TooManyAttempts after failures.

    A stolen session is no way around the limits on guessing.
    """
    caller = Caller.known(who.person, who.address)
    pair = Place(f"pair {caller.counted} {caller.place}", 1)
    try:
        async with desk.gates.through([pair]):
            wait = await desk.off_loop(lambda: _wait_s(desk, caller))
            if wait:
                raise _too_many(wait)
            yield caller
    except QueueFull:
        raise _too_many(1) from None


async def count_failure(desk: Desk, caller: Caller) -> None:
    """Count one wrong proof."""
    now = desk.clock.now()
    await desk.off_loop(
        lambda: desk.throttle.count_failure(caller.counted, caller.place, now)
    )


def note(
    desk: Desk, who: Who, action: str, outcome: str = "ok", reason: str = ""
) -> None:
    """Audit what somebody changed about their own login. Blocks."""
    detail = {"reason": reason} if reason else {}
    desk.audit.append(
        AuditEvent(
            at=desk.clock.now(),
            actor=who.person,
            action=action,
            target=who.person,
            outcome=outcome,
            address=who.address,
            detail=detail,
        )
    )


def _wait_s(desk: Desk, caller: Caller) -> int:
    now = desk.clock.now()
    known = desk.throttle.is_known_address(caller.counted, caller.place, now)
    return refusal_s(desk.throttle.tallies(caller.counted, caller.place), known, now)


def _too_many(wait_s: int) -> TooManyAttempts:
    return TooManyAttempts(
        "Wrong too often.", "Try again in {wait_s} s.", wait_s=wait_s
    )
