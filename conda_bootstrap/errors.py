"""What can go wrong, and with which exit code it is told.

BootstrapError   1  it was begun and could not be finished; what was before still is
  Refused        3  nothing was touched
  WrongUse       2  the command, order or file is not one that can be carried out
"""

from dataclasses import dataclass


@dataclass(eq=False)
class BootstrapError(Exception):
    """Say what happened, to what, and what to do next."""

    code: str
    message: str
    hint: str = ""

    exit_code = 1
    state = "failed"

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def as_dict(self) -> dict[str, str]:
        """Return it as it is written into state files and events."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class Refused(BootstrapError):
    """Refuse before anything is touched."""

    exit_code = 3
    state = "refused"


class WrongUse(BootstrapError):
    """Refuse what cannot be understood."""

    exit_code = 2
    state = "refused"
