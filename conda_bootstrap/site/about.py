"""What people read of a base, and what its packages ask of a node: NAME.toml."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from conda_bootstrap.errors import WrongUse

_KEYS: Final = frozenset({"title", "about", "machine"})
_VIRTUAL: Final = re.compile(r"__[a-z0-9_]{1,30}", re.ASCII)
_VERSION: Final = re.compile(r"[0-9A-Za-z._]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class About:
    """What a base is for; `machine` is what its nodes have, as conda names it."""

    title: str = ""
    about: str = ""
    machine: Mapping[str, str] = field(default_factory=dict)


def read_about(path: Path) -> About:
    """Return what the file beside an environment.yml says; it may be missing."""
    if not path.is_file():
        return About()
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _wrong(path, f"cannot be read: {error}") from error
    unknown = sorted(set(value) - _KEYS)
    if unknown:
        raise _wrong(path, f"has unknown keys: {', '.join(map(ascii, unknown))}")
    texts = {key: value.get(key, "") for key in ("title", "about")}
    for key, text in texts.items():
        if not isinstance(text, str) or not text.replace("\n", "").isprintable():
            raise _wrong(path, f"has no plain text under {key!r}")
    return About(
        title=" ".join(texts["title"].split())[:80],
        about=" ".join(texts["about"].split())[:500],
        machine=read_machine(value.get("machine", {}), str(path)),
    )


def read_machine(value: object, place: str) -> dict[str, str]:
    """Return virtual packages by name, such as `__cuda` with a version."""
    if not isinstance(value, dict):
        raise WrongUse("machine", f"{place}: 'machine' is no table.")
    for name, version in value.items():
        known = isinstance(version, str) and _VERSION.fullmatch(version)
        if not _VIRTUAL.fullmatch(name) or not known:
            raise WrongUse(
                "machine",
                f"{place}: {ascii(name)[:40]} = {ascii(version)[:40]} is unclear.",
                'Write for example __cuda = "12.4".',
            )
    return value


def _wrong(path: Path, what: str) -> WrongUse:
    return WrongUse("about", f"{str(path)!a} {what}.")
