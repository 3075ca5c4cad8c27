"""Short texts that people write, such as names and notes: one line, nothing hidden."""

import unicodedata
from typing import Final

# Control characters, unpaired surrogates, line and paragraph separators, characters
# that mean nothing, and those that turn the direction of what follows.
_REFUSED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# These two join letters and emoji, and hide nothing.
_JOINERS: Final = "\u200c\u200d"


def is_one_line(text: str, longest: int) -> bool:
    """Tell whether a trimmed text says something, fits, and hides nothing."""
    return 0 < len(text) <= longest and not has_hidden(text)


def has_hidden(text: str) -> bool:
    """Tell whether a text holds characters that end a line or do not show."""
    return any(
        char not in _JOINERS and unicodedata.category(char) in _REFUSED for char in text
    )
