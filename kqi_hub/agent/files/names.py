"""Names of files as text that any program can carry.

Bytes that are no UTF-8 travel as `%ff`, a `%` that could be taken for the beginning of
such a byte as `%25`, everything else as it is.
"""

import os
import re
from typing import Final

from kqi_hub.agent.errors import Problem

_LONGEST_BYTES: Final = 4096
_ODD_BYTE: Final = re.compile("[\udc80-\udcff]")
_AMBIGUOUS: Final = re.compile(r"%(?=25|[89a-f][0-9a-f])")
_ESCAPED: Final = re.compile(rb"%(25|[89a-f][0-9a-f])")


def travelling(name: str) -> str:
    """Return a name of the operating system's as text that any program can carry."""
    text = os.fsencode(name).decode("utf-8", "surrogateescape")
    escaped = _AMBIGUOUS.sub("%25", text)
    return _ODD_BYTE.sub(lambda odd: f"%{ord(odd[0]) - 0xDC00:02x}", escaped)


def arrived(text: str) -> str:
    """Return the name that a travelling one stands for."""
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raise _refused("half a character") from None
    return os.fsdecode(_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), raw))


def arrived_path(text: str) -> tuple[str, ...]:
    """Return the names on the way to a file; `..` and the like lead nowhere."""
    names = tuple(arrived(one) for one in text.strip("/").split("/")) if text else ()
    if names == ("",):
        return ()
    if len(text) > _LONGEST_BYTES or "\0" in text:
        raise _refused("a NUL, or too many characters")
    if any(name in {"", ".", ".."} for name in names):
        raise _refused("an empty name, `.` or `..`")
    return names


def one_name(text: str) -> str:
    """Return a single name, for something new."""
    names = arrived_path(text)
    if len(names) != 1 or "/" in text:
        raise _refused("not exactly one name")
    return names[0]


def travelling_path(names: tuple[str, ...]) -> str:
    """Return names as one path."""
    return "/".join(map(travelling, names))


def _refused(why: str) -> Problem:
    return Problem(400, "invalid-input", f"The path has {why} in it.")
