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


def of_system(error: OSError) -> BootstrapError:
    """Return in words what the system would not do, most often for want of room."""
    place = f" ({error.filename})" if error.filename else ""
    return BootstrapError(
        "system",
        f"The system did not allow it: {error.strerror or error}{place}.",
        "What was there before is untouched. If the disk or your quota is full, free "
        "some space; then run it again.",
    )
