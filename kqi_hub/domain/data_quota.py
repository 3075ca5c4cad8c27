"""Whether a quota leaves room; what uploads have announced counts as used."""

from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.data_errors import NoRoom
from kqi_hub.domain.upload_ports import NewUpload, Quota

_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


@dataclass(frozen=True, slots=True)
class Used:
    """What is published and announced, of a tenant or of a person in it."""

    files: int
    bytes: int


def check_room(whose: str, used: Used, quota: Quota, new: NewUpload) -> None:
    """Refuse an upload that a quota has no room for."""
    if quota.most_bytes is not None and used.bytes + new.bytes > quota.most_bytes:
        raise NoRoom(
            "There is no room for {size} more: {whose} keeps {used} of {most}, with "
            "what is being uploaded.",
            "Delete data that nobody needs, drop uploads that were given up, or ask "
            "the operators for more.",
            size=said_size(new.bytes),
            whose=whose,
            used=said_size(used.bytes),
            most=said_size(quota.most_bytes),
        )
    if quota.most_files is not None and used.files + new.files > quota.most_files:
        raise NoRoom(
            "There is no room for {files} more files: {whose} keeps {used} of {most}, "
            "with what is being uploaded.",
            "Delete data that nobody needs, pack small files together, or ask the "
            "operators for more.",
            files=new.files,
            whose=whose,
            used=used.files,
            most=quota.most_files,
        )


def said_size(size: int) -> str:
    """Return an amount of bytes as people say it, in the units of the settings."""
    value, unit = float(size), 0
    while value >= 1023.95 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{size} bytes" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"
