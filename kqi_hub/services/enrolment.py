"""Set up, replace and take away the second factor.

First login: `begin` and `confirm` with the ticket of `login.ticket`. Somebody who is
logged in proves the present code first: `replacement_ticket`, then the same two.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from kqi_hub.domain.enrolment import Invitation, Ticket
from kqi_hub.domain.errors import Conflict, InvalidInput, NotPermitted
from kqi_hub.domain.login import AuditEvent, AuditLog, FactorMode, FactorStore, Granted
from kqi_hub.domain.people import Person
from kqi_hub.services.desk import Clock, Desk
from kqi_hub.services.factor import Proof, bare_code, use_factor
from kqi_hub.services.login import ENROL
from kqi_hub.services.proving import Who, count_failure, note, throttled
from kqi_hub.services.settling import Caller, let_in

# 26 characters of base32 are the first 128 bits; pyotp refuses less than 112.
_BASE32_KEY: Final = re.compile(r"[A-Z2-7]{26,128}")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The factor is set up; the codes are shown this once."""

    granted: Granted
    recovery_codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FactorState:
    """What /me shows of the second factor."""

    is_set_up: bool
    recovery_codes_left: int


async def begin(desk: Desk, ticket: str) -> Invitation:
    """Return QR code and key of a ticket; the same ones each time.

    Raises NotPermitted for a bad or old ticket, Conflict if a factor is set up
    already and the ticket does not come from `replacement_ticket`.
    """
    proven = _read(desk, ticket)

    def invite() -> Invitation:
        if not proven.factor and desk.factors.has_factor(proven.person):
            raise _set_up_already()
        return desk.codes.invitation(proven.person, proven.secret)

    return await desk.off_loop(invite)


async def confirm(desk: Desk, ticket: str, code: str, address: str) -> Enrolled:
    """Make the shown key the person's factor, with a first code of it; logs in.

    Raises InvalidInput for a wrong code, DirectoryUnavailable, otherwise as `begin`.
    """
    person, recovery_codes = await _set_up(desk, ticket, code, address)
    caller = Caller.known(person.name, address)
    granted = await desk.off_loop(lambda: let_in(desk, caller, person, Proof.CODE))
    return Enrolled(granted, recovery_codes)


async def replace(desk: Desk, ticket: str, code: str, who: Who) -> tuple[str, ...]:
    """Do the same for somebody who is logged in already; return recovery codes."""
    _, recovery_codes = await _set_up(desk, ticket, code, who.address)
    return recovery_codes


async def _set_up(
    desk: Desk, ticket: str, code: str, address: str
) -> tuple[Person, tuple[str, ...]]:
    proven = _read(desk, ticket)
    step = desk.codes.step(proven.secret, bare_code(code), desk.clock.now())
    if step is None:
        raise InvalidInput(
            "The code is wrong.",
            "Check the device's clock and type the code that it shows now.",
        )
    person = await desk.directory.lookup(proven.person)
    if person is None:
        raise NotPermitted(
            "The directory no longer lets {name} in.", name=proven.person
        )

    def finish() -> tuple[str, ...]:
        recovery_codes = desk.factors.set_up(
            person.name, proven.secret, step, replace=bool(proven.factor)
        )
        if recovery_codes is None:
            raise _set_up_already()
        note(desk, Who(person.name, address), "factor-set-up")
        return recovery_codes

    return person, await desk.off_loop(finish)


async def state(desk: Desk, person: str) -> FactorState:
    """Return what /me shows."""

    def look() -> FactorState:
        is_set_up = desk.factors.has_factor(person)
        left = desk.factors.recovery_codes_left(person) if is_set_up else 0
        return FactorState(is_set_up, left)

    return await desk.off_loop(look)


async def replacement_ticket(desk: Desk, who: Who, code: str) -> str:
    """Return a ticket for `begin` to somebody who shows a code of the old device.

    Somebody without a factor needs none. Raises InvalidInput, TooManyAttempts, and
    Conflict where the portal does not ask for codes itself.
    """
    if desk.rules.mode in (FactorMode.DIRECTORY, FactorMode.OFF):
        raise Conflict("This site's portal asks for no codes of its own.")
    await _prove(desk, who, code)
    secret = desk.codes.new_secret()
    return desk.tickets.issue(Ticket(ENROL, who.person, Proof.CODE, secret))


async def new_recovery_codes(desk: Desk, who: Who, code: str) -> tuple[str, ...]:
    """Replace all recovery codes, against a code; raises as `replacement_ticket`."""
    await _prove(desk, who, code)

    def renew() -> tuple[str, ...]:
        codes = desk.factors.new_recovery_codes(who.person)
        if not codes:
            raise Conflict("There is no second factor yet.", "Set one up first.")
        note(desk, who, "recovery-codes-renewed")
        return codes

    return await desk.off_loop(renew)


def reset(
    factors: FactorStore, audit: AuditLog, operator: str, person: str, clock: Clock
) -> bool:
    """Take a person's factor away, so that the next login sets one up. Blocks."""
    found = factors.reset(person)
    outcome = "ok" if found else "nothing-to-reset"
    audit.append(AuditEvent(clock.now(), operator, "factor-reset", person, outcome))
    return found


def take_over(
    factors: FactorStore,
    audit: AuditLog,
    operator: str,
    person: str,
    secret: str,
    clock: Clock,
) -> tuple[str, ...]:
    """Make a device of another system the person's factor; return recovery codes.

    Raises InvalidInput for a key that no device could have, Conflict if there is a
    factor already. Blocks.
    """
    key = secret.replace(" ", "").upper().rstrip("=")
    if not _BASE32_KEY.fullmatch(key):
        raise InvalidInput(
            "This is no key of a code device.",
            "It has 26 to 128 characters, A to Z and 2 to 7 (base32).",
        )
    codes = factors.set_up(person, key, step=0, replace=False)
    if codes is None:
        raise _set_up_already()
    audit.append(AuditEvent(clock.now(), operator, "factor-taken-over", person))
    return codes


def _read(desk: Desk, text: str) -> Ticket:
    ticket = desk.tickets.read(text, ENROL)
    if ticket is None:
        raise NotPermitted("This page is no longer valid.", "Log in again.")
    return ticket


def _set_up_already() -> Conflict:
    return Conflict("The second factor is set up already.", "Log in with a code.")


async def _prove(desk: Desk, who: Who, code: str) -> None:
    """Check a code of somebody logged in, throttled like a login."""
    async with throttled(desk, who) as caller:
        proof = await desk.off_loop(lambda: use_factor(desk, who.person, code))
        if not proof.holds and proof is not Proof.TO_ENROL:
            await count_failure(desk, caller)
            raise InvalidInput("The code is wrong, or was used before.")
