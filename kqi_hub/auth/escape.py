"""Put text into an LDAP filter or a distinguished name so that it stays text.

The two have different rules: escaping for one does not protect the other.
"""

from typing import Final

_FILTER_SPECIAL: Final = frozenset(b"\\*()\0")
_DN_SPECIAL: Final = frozenset('"+,;<>=\\#')


def filter_value(text: str) -> str:
    """Escape a value for a search filter (RFC 4515)."""
    return "".join(
        chr(byte)
        if 32 <= byte < 127 and byte not in _FILTER_SPECIAL
        else f"\\{byte:02x}"
        for byte in text.encode()
    )


def dn_value(text: str) -> str:
    """Escape a value for a distinguished name (RFC 4514)."""
    last = len(text) - 1
    return "".join(
        _dn_character(char, is_end=position in (0, last))
        for position, char in enumerate(text)
    )


def _dn_character(char: str, is_end: bool) -> str:
    if char in _DN_SPECIAL:
        return f"\\{char}"
    if (char == " " and is_end) or not char.isprintable():
        return "".join(f"\\{byte:02x}" for byte in char.encode())
    return char
