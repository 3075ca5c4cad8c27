"""What people type above a list, read into conditions; nothing here raises.

Text means contains, `!text` does not contain; case is no matter. A number or a date
may follow `=`, `>`, `>=`, `<`, `<=`; several with commas between them must all hold.
A date stands for the whole time that it names: a year, a month, a day, a minute. What
cannot be read is None: then nothing is found, and the page says so.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import MAXYEAR, datetime, timedelta, tzinfo
from typing import Final

_MOST_CONDITIONS: Final = 8
_COMPARED: Final = re.compile(r"(<=|>=|<|>|=)?\s*(.+)", re.DOTALL)
# No more digits than a 64 bit number surely has.
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_DATE: Final = re.compile(
    r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2}))?)?)?",
    re.ASCII,
)
_Edges = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Part:
    """A text has this part, or has not; an empty one lets everything through."""

    text: str = ""
    is_refused: bool = False

    def fits(self, value: str) -> bool:
        """Tell whether the condition holds for a text."""
        has_it = in_one_case(self.text) in in_one_case(value)
        return has_it is not self.is_refused


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers or moments from `at_least` on that are `below`; None is no border."""

    at_least: float | None = None
    below: float | None = None

    def fits(self, value: float) -> bool:
        """Tell whether a value lies within."""
        is_low = self.at_least is not None and value < self.at_least
        return not is_low and (self.below is None or value < self.below)

    def within(self, other: "Span") -> "Span":
        """Return what lies in both."""
        lows = [one for one in (self.at_least, other.at_least) if one is not None]
        highs = [one for one in (self.below, other.below) if one is not None]
        return Span(max(lows, default=None), min(highs, default=None))


@dataclass(frozen=True, slots=True)
class TagRule:
    """Tags that must all be there, and tags none of which may be."""

    wanted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def fits(self, tags: Iterable[str]) -> bool:
        """Tell whether the tags of a thing are right."""
        has = set(tags)
        return has.issuperset(self.wanted) and has.isdisjoint(self.refused)


# Conditions that let everything through.
ANY_TEXT: Final = Part()
ANY_VALUE: Final = Span()
ANY_TAGS: Final = TagRule()


def in_one_case(text: str) -> str:
    """Return a text as it is compared where case is no matter, in any language."""
    return text.casefold()


def part_of(text: str) -> Part:
    """Read a condition on a text."""
    bare = text.strip()
    if bare.startswith("!"):
        rest = bare[1:].strip()
        # A lone `!` is somebody who still types.
        return Part(rest, is_refused=bool(rest))
    return Part(bare)


def numbers_of(text: str) -> Span | None:
    """Read a condition on a whole number."""
    return _read(text, _number_edges)


def moments_of(text: str, zone: tzinfo) -> Span | None:
    """Read a condition on a moment; dates are those of the zone."""
    return _read(text, lambda word: _date_edges(word, zone))


def tags_of(texts: Iterable[str]) -> TagRule:
    """Read conditions on tags, each text one or several with commas between them."""
    words = [word.strip() for text in texts for word in text.split(",")]
    refused = [word[1:].strip() for word in words if word.startswith("!")]
    wanted = [word for word in words if word and not word.startswith("!")]
    return TagRule(_unique(wanted), _unique(word for word in refused if word))


def _read(text: str, edges: Callable[[str], _Edges | None]) -> Span | None:
    span = Span()
    # Keyboards of East Asia write digits and signs in full width.
    plain = unicodedata.normalize("NFKC", text)
    words = [word.strip() for word in plain.split(",") if word.strip()]
    if len(words) > _MOST_CONDITIONS:
        return None
    for word in words:
        one = _condition(word, edges)
        if one is None:
            return None
        span = span.within(one)
    return span


def _condition(word: str, edges: Callable[[str], _Edges | None]) -> Span | None:
    found = _COMPARED.fullmatch(word)
    between = None if found is None else edges(found[2])
    if found is None or between is None:
        return None
    first, after = between
    spans = {
        ">": Span(at_least=after),
        ">=": Span(at_least=first),
        "<": Span(below=first),
        "<=": Span(below=after),
    }
    return spans.get(found[1] or "=", Span(first, after))


def _number_edges(word: str) -> _Edges | None:
    if _NUMBER.fullmatch(word) is None:
        return None
    return int(word), int(word) + 1


def _date_edges(word: str, zone: tzinfo) -> _Edges | None:
    """Return the first moment of what a date names, and the first one after it."""
    found = _DATE.fullmatch(word)
    if found is None:
        return None
    year, month, day, hour, minute = (
        int(one) if one else None for one in found.groups()
    )
    try:
        first = datetime(
            year or 0, month or 1, day or 1, hour or 0, minute or 0, tzinfo=zone
        )
        return first.timestamp(), _after(first, month, day, hour).timestamp()
    except (ValueError, OverflowError):
        return None


def _after(
    first: datetime, month: int | None, day: int | None, hour: int | None
) -> datetime:
    if hour is not None:
        # Through the epoch: on days on which clocks are changed, too, a minute is one.
        return first + timedelta(minutes=1)
    if day is not None:
        return first + timedelta(days=1)
    if month is not None and month < 12:
        return first.replace(month=month + 1)
    if first.year == MAXYEAR:
        raise OverflowError
    return first.replace(year=first.year + 1, month=1)


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
