"""What a page or a program wants done with files: read from JSON, nothing guessed."""

from collections.abc import Mapping
from typing import Any

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.changing import MOST_PATHS
from kqi_hub.agent.files.places import SCRATCH, Place, Roots
from kqi_hub.agent.orders import read_object, shown


class Asked:
    """The body of a request."""

    def __init__(self, raw: bytes, known: frozenset[str], roots: Roots) -> None:
        self._said: Mapping[str, Any] = read_object(raw)
        self._roots = roots
        if unknown := set(self._said) - known:
            raise Problem(
                400, "invalid-input", f"`{shown(min(unknown))}` is nothing known here."
            )

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text."""
        given = self._said.get(name, default)
        if not isinstance(given, str):
            raise Problem(400, "invalid-input", f"`{name}` must be a text.")
        return given

    def flag(self, name: str) -> bool:
        """Return true or false; false if nothing is said."""
        given = self._said.get(name, False)
        if not isinstance(given, bool):
            raise Problem(400, "invalid-input", f"`{name}` must be true or false.")
        return given

    def has(self, name: str) -> bool:
        """Tell whether something is said."""
        return name in self._said

    def place(self, name: str = "path") -> Place:
        """Return one place."""
        return self._roots.place(self.text("root", SCRATCH), self.text(name))

    def places(self) -> list[Place]:
        """Return several places."""
        given = self._said.get("paths")
        is_list = isinstance(given, list) and 0 < len(given) <= MOST_PATHS
        if not is_list or not all(isinstance(one, str) for one in given or ()):
            raise Problem(
                400, "invalid-input", f"`paths` must be 1 to {MOST_PATHS} paths."
            )
        root = self.text("root", SCRATCH)
        return [self._roots.place(root, one) for one in given or ()]
