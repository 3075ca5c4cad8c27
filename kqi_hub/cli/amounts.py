"""Bytes and times as people read them."""

from typing import Final

_STEP: Final = 1024
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def size(count: float | None) -> str:
    """Return bytes in the unit that leaves the fewest digits."""
    if count is None:
        return "-"
    for unit in _UNITS[:-1]:
        if abs(count) < _STEP:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= _STEP
    return f"{count:,.1f} {_UNITS[-1]}"


def span(seconds: float | None) -> str:
    """Return a time that is left, as m:ss or h:mm:ss."""
    if seconds is None or seconds > 99 * 3600:
        return "-"
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def files(count: int) -> str:
    """Return a number of files with its word."""
    return "1 file" if count == 1 else f"{count:,} files"
