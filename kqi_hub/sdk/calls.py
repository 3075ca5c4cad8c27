"""What each part of `Client` stands on: one question to the portal's REST interface."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class Calls(ABC):
    """A part of `Client`; the parts share its one way to ask."""

    @abstractmethod
    def _api(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> Any:
        """Ask the portal and return what it says."""
