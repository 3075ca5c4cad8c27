"""What a person has chosen for themselves: language, colours, usual tenant."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Theme(StrEnum):
    """The colours of the pages; `system` follows the browser."""

    LIGHT = "light"
    DARK = "dark"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Preferences:
    """A person's choices; None where they have not chosen."""

    language: str | None = None
    theme: Theme | None = None
    default_tenant: str | None = None
    # Whether the history is shown after a preprocessing was started (K-38).
    opens_history: bool | None = None


class PreferenceStore(Protocol):
    """Where choices are kept. Every method blocks: call it off the loop."""

    def preferences(self, person: str) -> Preferences:
        """Return the person's choices; nothing chosen for people not seen before."""

    def save(self, person: str, chosen: Preferences, now: float) -> None:
        """Replace the person's choices."""

    def dismissed(self, person: str, notice: str) -> str:
        """Return the mark of a notice when the person dismissed it; empty: never."""

    def dismiss(self, person: str, notice: str, mark: str, now: float) -> None:
        """Note that the person does not want to see a notice as it is now."""
