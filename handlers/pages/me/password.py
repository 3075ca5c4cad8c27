"""Change one's password."""

from pydantic import Field, SecretStr

from handlers.api.password import ERRORS, PasswordChange
from handlers.ask import Ask, GoTo, Page
from handlers.pages.me.section import SHOWN_IN_FORM, section
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import InvalidInput, KqiError
from kqi_hub.domain.login import FactorMode
from kqi_hub.i18n import N_
from kqi_hub.services import passwords

routes = Routes(tag=N_("Pages"))


class PasswordForm(PasswordChange):
    """The present password, and the new one twice."""

    again: SecretStr = Field(max_length=1024)


@routes.get("/me/password", Spec())
async def show_password(ask: Ask) -> Page:
    """Show the form that changes your password."""
    return _form(ask)


@routes.post(
    "/me/password",
    Spec(
        body=PasswordForm,
        errors=ERRORS,
        example={"old": "right", "new": "better", "again": "better"},
    ),
)
async def save_password(ask: Ask) -> Page | GoTo:
    """Change your password in the directory."""
    sent = ask.body(PasswordForm)
    old, new = sent.old.get_secret_value(), sent.new.get_secret_value()
    try:
        if new != sent.again.get_secret_value():
            raise InvalidInput(
                "The two new passwords differ.", "Type the new password again."
            )
        await passwords.change(ask.deps.account.desk, ask.who, old, new, sent.code)
    except SHOWN_IN_FORM as error:
        return _form(ask, error)
    return GoTo("me/password", N_("Your password is changed."))


def _form(ask: Ask, error: KqiError | None = None) -> Page:
    mode = ask.deps.account.desk.rules.mode
    values = {"needs_code": mode is FactorMode.DIRECTORY}
    return section(ask, "password", values, error)
