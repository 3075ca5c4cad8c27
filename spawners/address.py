"""From where a request comes, as far as it can be believed."""

from typing import Any

from kqi_hub.domain.address import networks
from kqi_hub.face.peer import asker_address
from kqi_hub.settings.model import Settings


def address_of(handler: Any, site: Settings) -> str:
    """Return the address of the browser; further proxies count if the site names them.

    Tornado's remote_ip may be a header's word already: the connection has the peer.
    """
    return asker_address(handler.request, networks(site.login.trusted_proxies))
