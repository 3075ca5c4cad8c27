"""One's own second factor."""

from pydantic import Field

from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import (
    Conflict,
    DirectoryUnavailable,
    InvalidInput,
    TooManyAttempts,
)
from kqi_hub.domain.login import FactorMode
from kqi_hub.i18n import N_
from kqi_hub.services import own_factor

routes = Routes("/api/v1", tag=N_("You"))
ERRORS = (InvalidInput, Conflict, TooManyAttempts)


class Factor(Model):
    """The second factor, and who asks for it."""

    mode: FactorMode = Field(
        description="required, optional: the portal asks for codes; directory: the "
        "directory does; off: nobody does."
    )
    is_set_up: bool = Field(description="Whether you have set up a code device here.")
    recovery_codes_left: int = Field(description="How many recovery codes are unused.")


class Code(Model):
    """A proof that one has the present device."""

    code: str = Field(
        "",
        max_length=64,
        description="A code of your present device, or a recovery code.",
    )


class NewDevice(Model):
    """What a new code device needs."""

    ticket: str = Field(description="To send with the new device's first code.")
    uri: str = Field(description="The key as an address that apps open.")
    key: str = Field(description="The key for typing.")
    qr_svg: str = Field(description="The address as a picture to scan.")


class FirstCode(Model):
    """The first code of the new device."""

    ticket: str = Field(max_length=2000, description="What begin has answered.")
    code: str = Field(max_length=64, description="The code that the device shows now.")


class RecoveryCodes(Model):
    """Codes that replace a lost device, each once."""

    recovery_codes: tuple[str, ...] = Field(
        description="They are not shown again: keep them away from the device."
    )


@routes.get("/me/factor", Spec(answer=Factor))
async def show_factor(ask: Ask) -> Factor:
    """Show whether your second factor is set up, and what is left of the codes."""
    found = await own_factor.show(ask.deps.account.desk, ask.me.person)
    return Factor(
        mode=found.mode,
        is_set_up=found.is_set_up,
        recovery_codes_left=found.recovery_codes_left,
    )


@routes.post(
    "/me/factor/begin",
    Spec(body=Code, answer=NewDevice, errors=ERRORS, example={"code": "123456"}),
)
async def begin_factor(ask: Ask) -> NewDevice:
    """Begin to set up another code device; the present one stays until it is done."""
    sent = ask.body(Code)
    begun = await own_factor.begin(ask.deps.account.desk, ask.who, sent.code)
    return NewDevice(
        ticket=begun.ticket,
        uri=begun.invitation.uri,
        key=begun.invitation.key,
        qr_svg=begun.invitation.qr_svg,
    )


@routes.post(
    "/me/factor/confirm",
    Spec(
        body=FirstCode,
        answer=RecoveryCodes,
        errors=(InvalidInput, DirectoryUnavailable),
        example={"ticket": "gAAAAA", "code": "123456"},
    ),
)
async def confirm_factor(ask: Ask) -> RecoveryCodes:
    """Make the new device yours by its first code; the old one stops working."""
    sent, desk = ask.body(FirstCode), ask.deps.account.desk
    codes = await own_factor.confirm(desk, ask.who, sent.ticket, sent.code)
    return RecoveryCodes(recovery_codes=codes)


@routes.post(
    "/me/factor/recovery-codes",
    Spec(body=Code, answer=RecoveryCodes, errors=ERRORS, example={"code": "123456"}),
)
async def renew_recovery_codes(ask: Ask) -> RecoveryCodes:
    """Replace your recovery codes; the old ones stop working."""
    sent = ask.body(Code)
    codes = await own_factor.renew_codes(ask.deps.account.desk, ask.who, sent.code)
    return RecoveryCodes(recovery_codes=codes)
