"""Set up, replace and take away the second factor.

First login: `begin` and `confirm` with the ticket of `login.ticket`. Somebody who is
logged in proves the present code first: `replacement_ticket`, then the same two.
"""

from dataclasses import dataclass, field

from kqi_hub.domain.enrolment import Invitation, Ticket
from kqi_hub.domain.errors import Conflict, InvalidInput, NotPermitted
from kqi_hub.domain.login import AuditEvent, AuditLog, FactorStore, Granted
from kqi_hub.services.desk import Clock, Desk
from kqi_hub.services.factor import Proof, bare_code, use_factor
from kqi_hub.services.login import ENROL
from kqi_hub.services.proving import Who, count_failure, note, throttled
from kqi_hub.services.settling import Caller, let_in


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
    """Return QR code and key; the same ones until they are confirmed.

    Raises NotPermitted for a bad or old ticket, Conflict if a factor is set up
    already and the ticket does not come from `replacement_ticket`.
    """
    proven = _read(desk, ticket)

    def start() -> Invitation:
        _refuse_second(desk, proven)
        factor = desk.factors.begin(proven.person)
        return desk.codes.invitation(proven.person, factor.secret)

    return await desk.off_loop(start)


async def confirm(desk: Desk, ticket: str, code: str, address: str) -> Enrolled:
    """Make the shown key the person's factor, with a first code of it; logs in.

    Raises InvalidInput for a wrong code, otherwise as `begin`.
    """
    proven = _read(desk, ticket)
    person = await desk.directory.lookup(proven.person)
    if person is None:
        raise NotPermitted(
            "The directory no longer lets {name} in.", name=proven.person
        )

    def finish() -> Enrolled:
        _refuse_second(desk, proven)
        started = desk.factors.begin(person.name)
        step = desk.codes.step(started.secret, bare_code(code), desk.clock.now())
        if step is None:
            raise InvalidInput(
                "The code is wrong.",
                "Check the device's clock and type the code that it shows now.",
            )
        recovery_codes = desk.factors.confirm(person.name, step)
        caller = Caller.known(person.name, address)
        note(desk, Who(person.name, address), "factor-set-up")
        return Enrolled(let_in(desk, caller, person, Proof.CODE), recovery_codes)

    return await desk.off_loop(finish)


async def state(desk: Desk, person: str) -> FactorState:
    """Return what /me shows."""

    def look() -> FactorState:
        factor = desk.factors.factor(person)
        is_set_up = factor is not None and factor.confirmed
        left = desk.factors.recovery_codes_left(person) if is_set_up else 0
        return FactorState(is_set_up, left)

    return await desk.off_loop(look)


async def replacement_ticket(desk: Desk, who: Who, code: str) -> str:
    """Return a ticket for `begin` to somebody who shows a code of the old device.

    Somebody without a factor needs none. Raises InvalidInput, TooManyAttempts.
    """
    await _prove(desk, who, code)
    return desk.tickets.issue(Ticket(ENROL, who.person, factor=Proof.CODE))


async def new_recovery_codes(desk: Desk, who: Who, code: str) -> tuple[str, ...]:
    """Replace all recovery codes, against a code; raises as `replacement_ticket`."""
    if (await _prove(desk, who, code)) is Proof.NONE:
        raise Conflict("There is no second factor yet.", "Set one up first.")

    def renew() -> tuple[str, ...]:
        codes = desk.factors.new_recovery_codes(who.person)
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


def _read(desk: Desk, text: str) -> Ticket:
    ticket = desk.tickets.read(text, ENROL)
    if ticket is None:
        raise NotPermitted("This page is no longer valid.", "Log in again.")
    return ticket


def _refuse_second(desk: Desk, ticket: Ticket) -> None:
    factor = desk.factors.factor(ticket.person)
    if factor is not None and factor.confirmed and not ticket.factor:
        raise Conflict("The second factor is set up already.", "Log in with a code.")


async def _prove(desk: Desk, who: Who, code: str) -> Proof:
    """Check a code of somebody logged in, throttled like a login."""
    async with throttled(desk, who) as caller:
        proof = await desk.off_loop(lambda: use_factor(desk, who.person, code))
        if proof is Proof.TO_ENROL:
            return Proof.NONE
        if not proof.holds:
            await count_failure(desk, caller)
            raise InvalidInput("The code is wrong, or was used before.")
        return proof
