"""Names of files as the agent writes them.

Bytes that are no UTF-8 travel as `%ff`, a `%` that could be taken for the beginning of
such a byte as `%25`, everything else as it is.
"""

import os
import re
from typing import Final
from urllib.parse import quote

_ODD_BYTE: Final = re.compile("[\udc80-\udcff]")
_AMBIGUOUS: Final = re.compile(r"%(?=25|[89a-f][0-9a-f])")


def travelling(name: str) -> str:
    """Return a name of this machine's as the agent takes it."""
    text = os.fsencode(name).decode("utf-8", "surrogateescape")
    escaped = _AMBIGUOUS.sub("%25", text)
    return _ODD_BYTE.sub(lambda odd: f"%{ord(odd[0]) - 0xDC00:02x}", escaped)


def query(**said: object) -> str:
    """Return the part of an address behind `?`; None is left out."""
    return "&".join(
        f"{name}={quote(str(value), safe='')}"
        for name, value in said.items()
        if value is not None
    )
