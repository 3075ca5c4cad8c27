"""How the site presents itself."""

from dataclasses import dataclass

from kqi_hub.domain.address import Network
from kqi_hub.i18n import LANGUAGES


@dataclass(frozen=True, slots=True)
class Site:
    """Name and habits of the site, the same on every page."""

    name: str
    version: str
    language: str = "en"
    languages: tuple[str, ...] = LANGUAGES
    timezone: str = "UTC"
    # Who may say where somebody comes from, beside the hub's own proxy.
    proxies: tuple[Network, ...] = ()
    # A mail address or a web page; empty where the site names none.
    support: str = ""

    @property
    def support_link(self) -> str:
        """Return the address that a click on `support` leads to."""
        return f"mailto:{self.support}" if "@" in self.support else self.support
