"""What can go wrong when the portal is asked from afar.

PortalError
├── NotReachable    no portal answers at this address
├── NotConfigured   no address or no token known on this machine
├── WrongState      what it is about is not in a state for that
└── Refused         the portal answered with a problem; `code` says which
"""

from typing import Final

_EXIT_CODES: Final = {400: 2, 401: 3, 403: 3, 404: 4, 409: 5, 422: 12, 429: 3}


class PortalError(Exception):
    """What happened, and what to do next."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class NotReachable(PortalError):
    """No portal answers at this address."""

    exit_code = 10


class NotConfigured(PortalError):
    """This machine does not know the portal's address, or has no token for it."""

    exit_code = 6


class WrongState(PortalError):
    """What it is about is not in a state for that: as when the portal says 409."""

    exit_code = 5


class Refused(PortalError):
    """The portal answered with a problem; `code` is stable, texts are for people."""

    def __init__(self, status: int, code: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code
        self.exit_code = _EXIT_CODES.get(status, 7 if status >= 500 else 1)
