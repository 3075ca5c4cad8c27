"""Bytes, times, counts and money as people read them."""

from typing import Final

_STEP: Final = 1024
_MICRO: Final = 1_000_000
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


def counted(count: int, word: str) -> str:
    """Return a number with its word: 1 file, 1,200 files."""
    return f"1 {word}" if count == 1 else f"{count:,} {word}s"


def files(count: int) -> str:
    """Return a number of files with its word."""
    return counted(count, "file")


def money(micro: int, currency: str = "") -> str:
    """Return millionths as units: whole, with two digits, or all there are below one.

    1,200 and 1,200.50 and 0.000125; with the currency, if there is one.
    """
    hundredths, sign = round(abs(micro) * 100, -6) // _MICRO, "-" * (micro < 0)
    whole, rest = divmod(hundredths, 100)
    if abs(micro) < _MICRO:
        shown = f"{abs(micro) / _MICRO:.6f}".rstrip("0").rstrip(".")
    else:
        shown = f"{whole:,}.{rest:02}" if rest else f"{whole:,}"
    return f"{sign}{shown} {currency}".rstrip()
