"""The name under which the log of what somebody started is saved (KX-45)."""

from typing import Final

_SHORT: Final = {"preprocessing": "preproc"}


def saved_log_name(kind: str, *numbers: int) -> str:
    """Return the name of a log's file, by kind and number; of an item, by both."""
    which = "_".join(map(str, numbers))
    return f"{_SHORT.get(kind, kind)}_stdout_stderr_{which}.log"
