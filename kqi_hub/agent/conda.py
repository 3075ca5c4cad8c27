"""What the agent asks of `conda_bootstrap`, as the person. Every method blocks."""

from typing import Any, Protocol


class CondaRefuses(Exception):
    """It says no; code, message and hint are its own."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


class Conda(Protocol):
    """The person's environments and the site's offers, by their files."""

    def environments(self) -> list[dict[str, Any]]:
        """Return every environment; sizes as they were counted last."""

    def room(self) -> dict[str, Any]:
        """Return what is free on scratch."""

    def bases(self) -> list[dict[str, Any]]:
        """Return what the site offers to begin from."""

    def export(self, name: str, form: str) -> str:
        """Return an environment as a text; FileNotFoundError if there is none."""

    def set_default(self, name: str) -> None:
        """Make one the default."""

    def count(self, name: str) -> None:
        """Count the size of one, however long that takes."""


class Shelf(Protocol):
    """The example notebooks that are shipped."""

    def examples(self) -> list[dict[str, Any]]:
        """Return the example notebooks."""

    def copy_examples(self, names: list[str]) -> list[str]:
        """Copy some into the workspace; return the paths, nothing is overwritten."""
