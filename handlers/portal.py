"""What every handler of one process shares."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from jupyterhub.services.auth import HubOAuth

from handlers.ask import Deps
from handlers.drawing import Drawing
from handlers.route import Route
from kqi_hub.face.cookies import Jar
from kqi_hub.face.look import Pages
from kqi_hub.i18n import Texts, texts

SETTING: Final = "portal"


class Busy:
    """How many requests are being answered, so that stopping can wait for them."""

    def __init__(self) -> None:
        self.count = 0
        self._idle = asyncio.Event()

    def begin(self) -> None:
        """Count a request in."""
        self.count += 1
        self._idle.clear()

    def end(self) -> None:
        """Count a request out."""
        self.count -= 1
        if not self.count:
            self._idle.set()

    async def wait_idle(self, seconds: float) -> bool:
        """Wait until no request is under way, but not for ever; tell whether so."""
        if self.count:
            try:
                await asyncio.wait_for(self._idle.wait(), seconds)
            except TimeoutError:
                return False
        return True


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
    drawing: Drawing = field(default_factory=Drawing)

    @property
    def jar(self) -> Jar:
        """Return where cookies of the portal's own pages are valid."""
        return Jar(self.prefix, self.is_secure)

    @property
    def site_jar(self) -> Jar:
        """Return where cookies of the whole site are valid, the hub's pages too."""
        return Jar(self.base, self.is_secure)

    @property
    def is_secure(self) -> bool:
        """Tell whether people reach the site over https."""
        return bool(self.hub_auth.cookie_options.get("secure"))

    def texts(self, language: str) -> Texts:
        """Return a language's texts."""
        return texts(self.translations, language)

    def has_page(self, path: str) -> bool:
        """Tell whether there is a page at this path."""
        return any(r.method == "GET" and r.path == path for r in self.routes)
