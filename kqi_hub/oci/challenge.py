"""What a registry says it wants to see before it answers: a header, read with care."""

import re
from dataclasses import dataclass
from typing import Final

_LONGEST: Final = 4096
_SCHEME: Final = re.compile(r"\s*([A-Za-z]+)(?:\s+(.*))?", re.ASCII | re.DOTALL)
_PAIR: Final = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"([^"\\]*)"|([^\s,"]+))', re.ASCII)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A scheme in lower case, and for `bearer` where to get a token for what."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


def challenge_of(header: str) -> Challenge | None:
    """Return what a WWW-Authenticate header asks for; None if that is unreadable."""
    found = _SCHEME.fullmatch(header[:_LONGEST])
    if found is None:
        return None
    pairs = {
        one[1].lower(): one[2] if one[2] is not None else one[3]
        for one in _PAIR.finditer(found[2] or "")
    }
    return Challenge(
        found[1].lower(),
        pairs.get("realm", ""),
        pairs.get("service", ""),
        pairs.get("scope", ""),
    )
