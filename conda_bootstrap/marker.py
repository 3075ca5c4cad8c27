"""The mark of an environment that was made whole: the last that is written into it.

It has no suffix: conda, mamba and rattler read every *.json of conda-meta as the record
of a package, and rattler gives up on one that is none.
"""

import secrets
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from conda_bootstrap.json_files import read_object, write_json

FILE: Final = "conda-meta/kqi"
LOCK_COPY: Final = "conda-meta/kqi-lock"


def now() -> str:
    """Return the time as it is written everywhere."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Marker:
    """What was made, from what, when."""

    name: str
    backend: str
    base: str | None = None
    lock_sha256: str | None = None
    made_at: str = field(default_factory=now)
    build: str = field(default_factory=lambda: secrets.token_hex(8))
    packages: tuple[str, ...] = ()
    requested: tuple[str, ...] = ()

    def write(self, prefix: Path) -> None:
        """Mark an environment as whole."""
        write_json(prefix / FILE, {"version": 1} | asdict(self))


def read_marker(prefix: Path) -> Marker | None:
    """Return an environment's mark; None when it has none that can be believed."""
    value = read_object(prefix / FILE)
    if not isinstance(value.get("name"), str):
        return None
    return Marker(
        name=value["name"],
        backend=_text(value, "backend") or "",
        base=_text(value, "base"),
        lock_sha256=_text(value, "lock_sha256"),
        made_at=_text(value, "made_at") or "",
        build=_text(value, "build") or "",
        packages=_texts(value, "packages"),
        requested=_texts(value, "requested"),
    )


def _text(value: dict[str, Any], key: str) -> str | None:
    found = value.get(key)
    return found if isinstance(found, str) else None


def _texts(value: dict[str, Any], key: str) -> tuple[str, ...]:
    found = value.get(key)
    if not isinstance(found, list):
        return ()
    return tuple(one for one in found if isinstance(one, str))
