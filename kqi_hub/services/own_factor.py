"""Replace one's own second factor: a code of the old device, then one of the new."""

from dataclasses import dataclass, field

from kqi_hub.domain.enrolment import Invitation
from kqi_hub.domain.errors import NotPermitted
from kqi_hub.domain.login import FactorMode
from kqi_hub.services import enrolment
from kqi_hub.services.desk import Desk
from kqi_hub.services.login import ENROL
from kqi_hub.services.proving import Who


@dataclass(frozen=True, slots=True)
class Begun:
    """What the new device needs, and the ticket to confirm it with."""

    ticket: str = field(repr=False)
    invitation: Invitation


@dataclass(frozen=True, slots=True)
class OwnFactor:
    """What /me shows of the second factor, and who asks for it."""

    mode: FactorMode
    is_set_up: bool
    recovery_codes_left: int

    @property
    def is_ours(self) -> bool:
        """Tell whether the portal asks for codes itself."""
        return self.mode in (FactorMode.REQUIRED, FactorMode.OPTIONAL)


async def show(desk: Desk, person: str) -> OwnFactor:
    """Return what /me shows."""
    state = await enrolment.state(desk, person)
    return OwnFactor(desk.rules.mode, state.is_set_up, state.recovery_codes_left)


async def begin(desk: Desk, who: Who, code: str) -> Begun:
    """Return QR code and key for a new device, against a code of the present one.

    Raises InvalidInput, TooManyAttempts, Conflict where others ask for codes.
    """
    ticket = await enrolment.replacement_ticket(desk, who, code)
    return Begun(ticket, await enrolment.begin(desk, ticket))


async def again(desk: Desk, who: Who, ticket: str) -> Invitation:
    """Return what `begin` returned, for a page that is shown once more."""
    _refuse_foreign(desk, who, ticket)
    return await enrolment.begin(desk, ticket)


async def confirm(desk: Desk, who: Who, ticket: str, code: str) -> tuple[str, ...]:
    """Make the new device the person's, and return new recovery codes, once.

    Raises NotPermitted for a ticket that is old or somebody else's, InvalidInput for a
    wrong code.
    """
    _refuse_foreign(desk, who, ticket)
    return await enrolment.replace(desk, ticket, code, who)


async def renew_codes(desk: Desk, who: Who, code: str) -> tuple[str, ...]:
    """Replace all recovery codes and return the new ones, once; raises as `begin`."""
    return await enrolment.new_recovery_codes(desk, who, code)


def _refuse_foreign(desk: Desk, who: Who, text: str) -> None:
    # A ticket that an attacker began must not set up their device for somebody else.
    ticket = desk.tickets.read(text, ENROL)
    if ticket is None or ticket.person != who.person:
        raise NotPermitted(
            "This key is no longer valid: it was shown more than 15 minutes ago.",
            "Begin again.",
        )
