"""Read the environment.yml of a base and refuse what a base cannot be made of."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]  # PyYAML carries no types

from conda_bootstrap.errors import WrongUse

_LONGEST_BYTES: Final = 1 << 20
_LONGEST_SPEC: Final = 300
_DOCUMENTED: Final = "docs/operators/environments.md shows one."
_PACKAGE: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
# name, then conda's three ways to go on: `=1.2`, ` >=1.2,<2`, `[version='>=1']`.
_SPEC: Final = re.compile(
    rf"(?:{_PACKAGE}::)?{_PACKAGE}(?:[ =<>!~][ =<>!~,|*+.\w-]*)?", re.ASCII
)
_CHANNEL: Final = re.compile(r"[A-Za-z0-9:/._~%@+-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class EnvironmentFile:
    """What a base is asked to hold."""

    channels: tuple[str, ...]
    specs: tuple[str, ...]
    text: str


def read_environment_file(path: Path) -> EnvironmentFile:
    """Return the packages and channels that an environment.yml names."""
    text = _read(path)
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _wrong(path, f"is no YAML: {_one_line(error)}") from error
    if not isinstance(value, dict):
        raise _wrong(path, "is no environment: it has no keys")
    channels = _texts(path, value.get("channels") or [], "channels", _CHANNEL)
    specs = _texts(path, value.get("dependencies"), "dependencies", _SPEC)
    if not specs:
        raise _wrong(path, "names no packages under 'dependencies'")
    own = tuple(one for one in channels if one != "nodefaults")
    return EnvironmentFile(own, specs, text)


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            raise _wrong(path, "is not a file")
        with path.open("rb") as stream:
            data = stream.read(_LONGEST_BYTES + 1)
        if len(data) > _LONGEST_BYTES:
            raise _wrong(path, "is longer than 1 MiB")
        return data.decode("utf-8")
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _wrong(path, "is not UTF-8 text") from error
    except ValueError as error:  # a NUL in the name
        raise _wrong(path, str(error)) from error


def _texts(
    path: Path, value: Any, key: str, allowed: re.Pattern[str]
) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _wrong(path, f"has no list under {key!r}")
    for one in value:
        if isinstance(one, dict):
            raise _wrong(
                path,
                "asks pip for packages. A base is locked as a whole, so name them as"
                " conda packages; people add what only pip has themselves",
            )
        # Not shown: a few aliases of YAML can make a list of any size.
        if not isinstance(one, str):
            raise _wrong(path, f"has {type(one).__name__}, no text, under {key!r}")
        if not allowed.fullmatch(one) or len(one) > _LONGEST_SPEC:
            raise _wrong(path, f"has {ascii(one)[:80]} under {key!r}")
    return tuple(value)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _wrong(path: Path, what: str) -> WrongUse:
    return WrongUse("environment_file", f"{str(path)!a} {what}.", _DOCUMENTED)
