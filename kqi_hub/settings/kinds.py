"""The types a setting may have: how each is called, and read from TOML."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin


class WrongKind(ValueError):
    """The value in the file is of another type than the setting."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of setting: its name for people, and the way from TOML to Python."""

    words: str
    read: Callable[[object], object]


def kind_of(hint: Any) -> Kind:
    """Return the kind of an annotation of the model, "| None" taken off."""
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is Literal:
        return _choice(get_args(hint))
    try:
        return _KINDS[hint]
    except KeyError:
        raise TypeError(f"no setting can have the type {hint}") from None


def _text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise WrongKind
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongKind
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongKind
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise WrongKind
    try:
        number = float(value)
    except OverflowError:
        raise WrongKind from None
    if not math.isfinite(number):
        raise WrongKind
    return number


def _path(value: object) -> Path:
    text = _text(value)
    path = Path(text)
    if not text.isprintable() or not path.is_absolute() or ".." in path.parts:
        raise WrongKind
    return path


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise WrongKind
    return tuple(map(_text, value))


def _choice(words: tuple[str, ...]) -> Kind:
    def read(value: object) -> str:
        if _text(value) not in words:
            raise WrongKind
        return _text(value)

    return Kind("one of " + ", ".join(f'"{word}"' for word in words), read)


_KINDS: Final[dict[Any, Kind]] = {
    bool: Kind("true or false", _flag),
    int: Kind("a whole number", _whole),
    float: Kind("a number", _number),
    str: Kind("text", _text),
    Path: Kind('an absolute path without ".."', _path),
    tuple[str, ...]: Kind("a list of texts", _texts),
}
