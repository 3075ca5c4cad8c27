"""Make what a person's programs wrote fit to be stored and shown."""

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

# Control characters, halves of characters, separators of lines; then what changes the
# direction of everything after it.
_UNFIT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LATEST: Final = 1e11
_MOST_AMOUNT: Final = 1e12


def is_clean(text: str) -> bool:
    """Tell whether a text can be stored and shown as it is."""
    return not any(map(_is_unfit, text))


def cleaned(value: object, longest: int) -> str:
    """Return text as one line of bearable length; nothing for what is no text."""
    if type(value) is not str:
        return ""
    return "".join(" " if _is_unfit(one) else one for one in value[:longest]).strip()


def whole_number(value: object, low: int, high: int) -> int | None:
    """Return a whole number in a range, None for anything else."""
    return value if type(value) is int and low <= value <= high else None


def moment(value: object) -> float | None:
    """Return seconds since 1970, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Comparing is safe for whole numbers of any length, turning them into a float not.
    return float(value) if 0 <= value < _LATEST else None


def moments(value: object, most: int) -> dict[str, float]:
    """Return names with their moments."""
    if not isinstance(value, Mapping):
        return {}
    kept: dict[str, float] = {}
    for name, one in list(value.items())[:most]:
        when = moment(one)
        if when is not None:
            kept[cleaned(name, 30)] = when
    return kept


def figures(value: object, most: int) -> dict[str, float | str | None] | None:
    """Return names with their numbers, or with a word; None of what is no table."""
    if not isinstance(value, Mapping):
        return None
    kept: dict[str, float | str | None] = {}
    for name, one in list(value.items())[:most]:
        kept[cleaned(name, 30)] = cleaned(one, 30) or _amount(one)
    return kept


def lines(value: Any, most: int, longest: int) -> list[str]:
    """Return lines of text."""
    return (
        [cleaned(one, longest) for one in value[:most]] if type(value) is list else []
    )


def _amount(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _MOST_AMOUNT else None


def _is_unfit(one: str) -> bool:
    return unicodedata.category(one) in _UNFIT or one in _TURNING
