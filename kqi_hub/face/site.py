"""How the site presents itself."""

from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.address import Network, networks
from kqi_hub.i18n import LANGUAGES

OWN_PROXY: Final = networks(("127.0.0.1/32", "::1/128"))


@dataclass(frozen=True, slots=True)
class Site:
    """Name and habits of the site, the same on every page."""

    name: str
    version: str
    language: str = "en"
    languages: tuple[str, ...] = LANGUAGES
    timezone: str = "UTC"
    # Who may say where somebody comes from: the hub's own proxy, and the site's.
    proxies: tuple[Network, ...] = OWN_PROXY
