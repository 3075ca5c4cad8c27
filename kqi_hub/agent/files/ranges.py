"""What part of a file a request asks for, and what a saved file is called."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from kqi_hub.agent.files.names import travelling

_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)
# What stands in a plain `filename="…"` without being taken for something else.
_PLAIN: Final = re.compile(r"[^A-Za-z0-9 ._()+=@,-]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u0080-\u009f\u202a-\u202e\u2066-\u2069/]")


class NoSuchRange(Exception):
    """The part that is asked for begins behind the end."""


@dataclass(frozen=True, slots=True)
class Span:
    """From the first byte up to, not with, the last."""

    start: int
    end: int
    is_whole: bool


def span_of(header: str | None, size: int) -> Span:
    """Return what `Range` asks for; what is no single range is the whole file."""
    whole = Span(0, size, is_whole=True)
    asked = _RANGE.fullmatch(header.strip()) if header else None
    if asked is None or asked[1] == asked[2] == "":
        return whole
    if asked[1] == "":
        start, end = max(0, size - int(asked[2])), size
    else:
        start = int(asked[1])
        end = min(size, int(asked[2]) + 1) if asked[2] else size
        if asked[2] and int(asked[2]) < start:
            return whole
    if start >= size:
        raise NoSuchRange
    return Span(start, end, is_whole=False)


def disposition(name: str, kind: str = "attachment") -> str:
    """Return the header that names a download, as RFC 6266 wants it."""
    shown = _CONTROL.sub("_", travelling(name))
    plain = _PLAIN.sub("_", shown)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(shown, safe='')}"
