"""What every handler of one process shares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from jupyterhub.services.auth import HubOAuth

from handlers.ask import Deps
from handlers.look import Pages
from handlers.route import Route
from handlers.texts import Texts, texts

SETTING: Final = "portal"


@dataclass(slots=True)
class Busy:
    """How many requests are being answered, so that stopping can wait for them."""

    count: int = 0


@dataclass(frozen=True, slots=True)
class Portal:
    """One process of the portal; `base` is the hub's prefix, `prefix` our own."""

    deps: Deps
    hub_auth: HubOAuth
    pages: Pages
    translations: Path
    routes: tuple[Route, ...]
    document: Mapping[str, Any]
    base: str
    prefix: str
    busy: Busy = field(default_factory=Busy)

    def texts(self, language: str) -> Texts:
        """Return a language's texts."""
        return texts(self.translations, language)

    def has_page(self, path: str) -> bool:
        """Tell whether there is a page at this path."""
        return any(r.method == "GET" and r.path == path for r in self.routes)
