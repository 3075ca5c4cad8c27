"""One's own password."""

from pydantic import ConfigDict, Field, SecretStr

from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import (
    DirectoryUnavailable,
    InvalidInput,
    TooManyAttempts,
    WrongPassword,
)
from kqi_hub.i18n import N_
from kqi_hub.services import passwords

routes = Routes("/api/v1", tag=N_("You"))
ERRORS = (InvalidInput, WrongPassword, TooManyAttempts, DirectoryUnavailable)


class PasswordChange(Model):
    """The present password, and the one to come."""

    # Spaces around a password belong to it.
    model_config = ConfigDict(str_strip_whitespace=False)

    old: SecretStr = Field(max_length=1024, description="Your present password.")
    new: SecretStr = Field(max_length=1024, description="Your new password.")
    code: str = Field(
        "",
        max_length=64,
        description="A one-time code, where the directory itself asks for codes.",
    )


@routes.post(
    "/me/password",
    Spec(body=PasswordChange, errors=ERRORS, example={"old": "right", "new": "better"}),
)
async def change_password(ask: Ask) -> None:
    """Change your password in the directory."""
    sent = ask.body(PasswordChange)
    old, new = sent.old.get_secret_value(), sent.new.get_secret_value()
    await passwords.change(ask.deps.account.desk, ask.who, old, new, sent.code)
