"""Slurm's ways of writing a length of time."""

import re
from typing import Final

# Words by which Slurm says that there is no limit, or none known.
_NO_LIMIT: Final = frozenset(
    {
        "",
        "UNLIMITED",
        "INFINITE",
        "NONE",
        "N/A",
        "NOT_SET",
        "PARTITION_LIMIT",
        "INVALID",
    }
)
# days-hours[:minutes[:seconds]], or [hours:]minutes[:seconds]
_WITH_DAYS: Final = re.compile(r"(\d+)-(\d+)(?::(\d+))?(?::(\d+))?", re.ASCII)
_WITHOUT_DAYS: Final = re.compile(r"(?:(\d+):)?(\d+):(\d+)|(\d+)", re.ASCII)


def parse_timelimit(text: str) -> int | None:
    """Return seconds, None for no limit; raise ValueError for anything else.

    `30` is 30 minutes, `5:00` is 5 minutes, `1-12` is a day and a half.
    """
    if text.upper() in _NO_LIMIT:
        return None
    if found := _WITH_DAYS.fullmatch(text):
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if found := _WITHOUT_DAYS.fullmatch(text):
        hours, minutes, seconds, bare_minutes = (
            int(part or 0) for part in found.groups()
        )
        return (hours * 60 + minutes + bare_minutes) * 60 + seconds
    raise ValueError(f"{text!r} is no length of time in Slurm's way of writing")
