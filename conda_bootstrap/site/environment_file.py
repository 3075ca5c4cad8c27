"""Read the environment.yml of a base and refuse what a base cannot be made of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conda_bootstrap import environment_yml
from conda_bootstrap.errors import WrongUse

_LONGEST_BYTES: Final = 1 << 20


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
        asked = environment_yml.read(text)
    except WrongUse as error:
        raise _wrong(path, f"cannot be used. {error.message}", error.hint) from error
    if asked.pip:
        raise _wrong(
            path,
            "asks pip for packages, and a base is locked as a whole.",
            "Name them as conda packages; people add what only pip has themselves.",
        )
    channels = tuple(one for one in asked.channels if one != "nodefaults")
    return EnvironmentFile(channels, asked.specs, text)


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            raise _wrong(path, "is not a file.")
        with path.open("rb") as stream:
            data = stream.read(_LONGEST_BYTES + 1)
        if len(data) > _LONGEST_BYTES:
            raise _wrong(path, "is longer than 1 MiB.")
        return data.decode("utf-8")
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise _wrong(path, "is not UTF-8 text.") from error
    except ValueError as error:  # a NUL in the name
        raise _wrong(path, f"cannot be opened: {error}.") from error


def _wrong(path: Path, what: str, hint: str = "") -> WrongUse:
    shown = hint or "docs/operators/environments.md shows how one is written."
    return WrongUse("environment_file", f"{str(path)!a} {what}", shown)
