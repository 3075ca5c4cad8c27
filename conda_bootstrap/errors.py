"""What can go wrong, and with which exit code it is told.

BootstrapError   1  it was begun and could not be finished; what was before still is
  Refused        3  nothing was touched
  WrongUse       2  the command, order or file is not one that can be carried out
"""

import errno
from dataclasses import dataclass
from typing import Final

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


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


def disk_full() -> BootstrapError:
    """Return that there was no room for what is installed."""
    return BootstrapError(
        "disk_full",
        "The disk or your quota became full while packages were installed.",
        "What was there before is untouched. Free some space and run it again.",
    )


def of_system(error: OSError) -> BootstrapError:
    """Return in words what the system would not do."""
    if error.errno in _FULL:
        return disk_full()
    place = f" ({error.filename})" if error.filename else ""
    return BootstrapError(
        "system",
        f"The system did not allow it: {error.strerror or error}{place}.",
        "What was there before is untouched. Run it again; if it stays so, tell the "
        "operators of this site.",
    )
