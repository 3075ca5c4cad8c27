"""Where a person's agent may look: told at its start."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRules:
    """What the site says of files; everything else is the kernel's decision.

    Links may lead below `scratch` (everybody's), `store` and `roots`. `store_socket` is
    where files are offered to the store.
    """

    scratch: Path
    store: Path | None = None
    roots: tuple[Path, ...] = ()
    store_socket: Path | None = None


def file_rules(said: Mapping[str, Any] | None, folder: Path) -> FileRules:
    """Read them; an agent that is told nothing stays in the person's folder."""
    if said is None:
        return FileRules(scratch=folder)
    return FileRules(
        scratch=_absolute(said["scratch"]),
        store=_absolute(said["store"]) if said.get("store") else None,
        roots=tuple(_absolute(one) for one in said.get("roots", ())),
        store_socket=(
            _absolute(said["store_socket"]) if said.get("store_socket") else None
        ),
    )


def _absolute(given: str) -> Path:
    path = Path(given)
    if not path.is_absolute():
        raise ValueError
    return path
