"""What can go wrong on the web only; all other errors are the domain's.

KqiError
├── NotLoggedIn         no login and no token, or an expired one            401
├── LoginUnfinished     the hub sent somebody back whose login had run out  400
├── StaleForm           the page's form is older than the login             403
├── WrongMethod         there is such an address, but not for this          405
├── TooLarge            more was sent than the route takes                  413
├── WrongContentType    not JSON where JSON is needed                       415
├── HubUnavailable      the hub does not say who somebody is                503
└── Broken              a fault of ours; the log knows more                 500
"""

from collections.abc import Iterable
from typing import Final

from kqi_hub.domain import errors
from kqi_hub.domain.errors import InvalidInput, KqiError
from kqi_hub.i18n import N_

_ASK_FOR_HELP: Final = N_(
    "Try again in a minute. If it stays so, give the operators the request number."
)


class NotLoggedIn(KqiError):
    """Nobody is logged in, or the login or token is no longer valid."""

    status, code = 401, "not-logged-in"

    def __init__(self) -> None:
        super().__init__(
            "You are not logged in, or your login or token has expired.",
            "Log in again, or send a valid token in the Authorization header.",
        )


class LoginUnfinished(KqiError):
    """The hub sent somebody back, but their login had been begun too long ago."""

    status, code = 400, "login-unfinished"

    def __init__(self) -> None:
        super().__init__(
            "The login was not finished: it took too long, or the hub did not answer.",
            "Go to the first page and try again.",
        )


class StaleForm(KqiError):
    """A request with a login cookie lacks the proof that our own page made it."""

    status, code = 403, "stale-form"

    def __init__(self) -> None:
        super().__init__(
            "This page was opened before your current login, so it was not sent.",
            "Nothing was changed. Check what you entered and send it again.",
        )


class WrongMethod(KqiError):
    """The address exists, but not for this method."""

    status, code = 405, "wrong-method"

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(allowed))
        super().__init__(
            "{method} is not possible here.",
            "Possible: {allowed}.",
            method=method,
            allowed=self.allowed,
        )


class TooLarge(KqiError):
    """More was sent than the route takes."""

    status, code = 413, "too-large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            "More was sent than is taken here ({limit} KiB).",
            "Send less, or send it in parts.",
            limit=limit_bytes // 1024,
        )


class WrongContentType(KqiError):
    """The body is not of the type that the route reads."""

    status, code = 415, "wrong-content-type"

    def __init__(self, needed: str) -> None:
        super().__init__(
            "The body of this request has another type than {needed}.",
            "Send it with the header Content-Type: {needed}.",
            needed=needed,
        )


class HubUnavailable(errors.HubUnavailable):
    """The hub does not answer, such as when it is asked who somebody is."""

    def __init__(
        self,
        message: str = "The hub cannot be asked who you are right now.",
        *,
        may_have_happened: bool = False,
    ) -> None:
        super().__init__(message, _ASK_FOR_HELP, may_have_happened=may_have_happened)


class Broken(KqiError):
    """A fault of ours, or of what we stand on: the log says which."""

    status, code = 500, "broken"

    def __init__(self) -> None:
        super().__init__(
            "Something went wrong on our side, and it has been noted.",
            _ASK_FOR_HELP,
        )


class InvalidFields(InvalidInput):
    """Fields break their rules; `fields` says which and how."""

    def __init__(self, fields: tuple["FieldFault", ...]) -> None:
        super().__init__(
            "Some of what was sent is not right.",
            "Correct the fields that are named and send it again.",
        )
        self.fields = fields


class FieldFault(KqiError):
    """One field and what is wrong with it."""

    status, code = 400, "invalid-field"

    def __init__(self, field: str, kind: str, message: str, **values: object) -> None:
        super().__init__(message, "", **values)
        self.field = field
        self.kind = kind
