"""One's second factor: its state, another device, new recovery codes."""

from pydantic import Field

from handlers.api.factor import ERRORS, Code, FirstCode
from handlers.ask import Ask, Page
from handlers.pages.me.section import SHOWN_IN_FORM, section
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.enrolment import Invitation
from kqi_hub.domain.errors import InvalidInput, KqiError
from kqi_hub.i18n import N_
from kqi_hub.services import own_factor

routes = Routes(tag=N_("Pages"))


class RenewForm(Model):
    """A proof that one has the present device, in the page's second form."""

    renew_code: str = Field("", max_length=64)


@routes.get("/me/factor", Spec())
async def show_second_factor(ask: Ask) -> Page:
    """Show your second factor, and the forms that change it."""
    return await _state(ask)


@routes.post(
    "/me/factor/begin",
    Spec(body=Code, errors=ERRORS, shows=True, example={"code": "123456"}),
)
async def show_new_device(ask: Ask) -> Page:
    """Show the key for another code device."""
    try:
        begun = await own_factor.begin(
            ask.deps.account.desk, ask.who, ask.body(Code).code
        )
    except SHOWN_IN_FORM as error:
        return await _state(ask, error)
    return _device(ask, begun.ticket, begun.invitation)


@routes.post(
    "/me/factor/confirm",
    Spec(
        body=FirstCode,
        errors=ERRORS,
        shows=True,
        example={"ticket": "gAAAAA", "code": "123456"},
    ),
)
async def take_new_device(ask: Ask) -> Page:
    """Take the new device by its first code, and show new recovery codes."""
    sent, desk = ask.body(FirstCode), ask.deps.account.desk
    try:
        codes = await own_factor.confirm(desk, ask.who, sent.ticket, sent.code)
    except InvalidInput as error:
        invitation = await own_factor.again(desk, ask.who, sent.ticket)
        return _device(ask, sent.ticket, invitation, error)
    except SHOWN_IN_FORM as error:
        return await _state(ask, error)
    return _codes(ask, codes)


@routes.post(
    "/me/factor/recovery-codes",
    Spec(body=RenewForm, errors=ERRORS, shows=True, example={"renew_code": "123456"}),
)
async def show_new_recovery_codes(ask: Ask) -> Page:
    """Show new recovery codes, this once."""
    sent = ask.body(RenewForm)
    try:
        codes = await own_factor.renew_codes(
            ask.deps.account.desk, ask.who, sent.renew_code
        )
    except SHOWN_IN_FORM as error:
        return await _state(ask, error, "renew")
    return _codes(ask, codes)


async def _state(ask: Ask, error: KqiError | None = None, form: str = "begin") -> Page:
    found = await own_factor.show(ask.deps.account.desk, ask.me.person)
    return section(ask, "factor", {"factor": found, "form": form}, error)


def _device(
    ask: Ask, ticket: str, invitation: Invitation, error: KqiError | None = None
) -> Page:
    values = {"ticket": ticket, "invitation": invitation}
    return section(ask, "factor", values, error, "new_device")


def _codes(ask: Ask, codes: tuple[str, ...]) -> Page:
    return section(ask, "factor", {"codes": codes}, template="recovery_codes")
