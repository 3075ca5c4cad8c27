"""What people are told when a login does not go through: one text a kind."""

from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.login import (
    ChangePasswordFirst,
    EnrolFirst,
    Granted,
    Outcome,
    Unavailable,
    Wait,
)
from kqi_hub.i18n import N_


class NotLetIn(KqiError):
    """Wrong name, password or code, unknown, disabled, locked: one answer for all."""

    status, exit_code, code = 403, 3, "not-let-in"


class TooManyFailures(KqiError):
    """Too many failures; `seconds` says how long to wait."""

    status, exit_code, code = 429, 3, "too-many-failures"


class StepMissing(KqiError):
    """Something has to be done on the page first."""

    status, exit_code, code = 409, 5, "step-missing"


class PasswordsDiffer(KqiError):
    """The new password was typed in two ways."""

    status, exit_code, code = 400, 2, "passwords-differ"

    def __init__(self) -> None:
        super().__init__(
            N_("The two new passwords differ."), N_("Type the new password again.")
        )


class StaleForm(KqiError):
    """The form lay open for too long, or cookies were removed meanwhile."""

    status, exit_code, code = 403, 3, "stale-form"

    def __init__(self) -> None:
        super().__init__(
            N_("This page lay open for too long, so nothing was sent on."),
            N_("It is fresh again now: fill it in once more."),
        )


class LoginUnavailable(KqiError):
    """The directory does not answer."""

    status, exit_code, code = 503, 8, "directory-unavailable"


def error_of(outcome: Outcome) -> KqiError:
    """Return the one thing that is said for every outcome of its kind."""
    match outcome:
        case Wait(seconds):
            return TooManyFailures(
                N_("Too many failed logins."),
                N_("Try again in {seconds} s."),
                seconds=seconds,
            )
        case Unavailable():
            return LoginUnavailable(
                N_("The directory does not answer, so nobody can log in right now."),
                N_("Nothing is wrong with your password. Try again in a minute."),
            )
        case EnrolFirst():
            return StepMissing(
                N_("Your second factor is not set up yet."),
                N_("Log in once on the web page, which leads you through it."),
            )
        case ChangePasswordFirst():
            return StepMissing(
                N_("Your password has to be changed first."),
                N_("Log in once on the web page, which leads you through it."),
            )
        case Granted():
            raise AssertionError("a granted login is no error")
        case _:
            return NotLetIn(
                N_("Name, password or code is wrong."),
                N_("Check all three and try again. A code works once only."),
            )
