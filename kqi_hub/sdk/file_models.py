"""What one's own agent answers about files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from kqi_hub.sdk.models import Answer, known

_ENDED: Final = frozenset({"done", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class FileRoot(Answer):
    """Where paths begin: `scratch`, `data:TENANT`, or a folder of the site's."""

    root: str
    absolute: str = ""
    may_change: bool = False
    free_bytes: int = 0
    free_files: int = 0


@dataclass(frozen=True, slots=True)
class FileEntry(Answer):
    """One name in a folder."""

    name: str
    kind: str = "file"
    size: int = 0
    changed_at: float = 0.0
    mode: str = ""
    link: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class FileStat(Answer):
    """What lies at a place."""

    root: str
    path: str
    kind: str = "file"
    size: int = 0
    changed_at: float = 0.0
    mode: str = ""
    absolute: str = ""
    is_link: bool = False
    owner: str = ""
    version: str = ""
    may_change: bool = False


@dataclass(frozen=True, slots=True)
class FileText(Answer):
    """A small text, and which edition of the file it is."""

    path: str
    text: str = ""
    size: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True)
class FileUse(Answer):
    """How much is below a folder; `entries` are the largest in it."""

    bytes: int = 0
    on_disk: int = 0
    files: int = 0
    folders: int = 0
    missed: int = 0
    entries: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        return cls(**{**known(cls, said), "entries": tuple(said.get("entries", ()))})


@dataclass(frozen=True, slots=True)
class FileWork(Answer):
    """Work of the agent's that outlives the question."""

    id: str
    kind: str = ""
    state: str = ""
    done: int = 0
    bytes: int = 0
    missed: int = 0
    misses: tuple[Mapping[str, str], ...] = ()
    result: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, str] | None = None
    began_at: float = 0.0
    ended_at: float | None = None

    @property
    def is_over(self) -> bool:
        """Tell whether it has ended."""
        return self.state in _ENDED


@dataclass(frozen=True, slots=True)
class Moved(Answer):
    """What has another path now, and what has not."""

    moved: tuple[str, ...] = ()
    refused: tuple[Mapping[str, str], ...] = ()
