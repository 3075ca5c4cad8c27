"""What each part of `Client` stands on: one question to the portal's REST interface."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx2

from kqi_hub.sdk.store_wire import StoreWire


class Calls(ABC):
    """A part of `Client`; the parts share its one way to ask."""

    @abstractmethod
    def _api(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> Any:
        """Ask the portal and return what it says."""

    @abstractmethod
    def _api_text(self, method: str, path: str) -> str:
        """Ask the portal for what it says as plain text."""

    @abstractmethod
    def _fetch(
        self,
        method: str,
        url: str,
        token: str,
        body: Mapping[str, object] | None = None,
    ) -> httpx2.Response:
        """Ask a server of one's own with its token and return the answer as it is."""

    @abstractmethod
    def _wire(self, url: str, ticket: str, renew: Callable[[], str]) -> StoreWire:
        """Return the way to the store for an upload."""


def part(text: str) -> str:
    """Return one part of a path; whatever is typed stays one part."""
    # Dots alone would lead to another address, and are nobody's name.
    return quote(text, safe="") if text.strip(".") else "-"
