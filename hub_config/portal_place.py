"""Where a portal process listens, and how it reaches the hub."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from jupyterhub.services.auth import HubOAuth

from hub_config.kept_secret import kept_secret
from kqi_hub.domain.errors import SettingsError
from kqi_hub.settings.model import Settings
from kqi_hub.settings.secrets import read_secret

SERVICE: Final = "portal"
# Roles and tokens that are taken away stop working after this long at the latest.
_CACHE_S: Final = 30


@dataclass(frozen=True, slots=True)
class Place:
    """The addresses of one portal process, without a secret."""

    host: str
    port: int
    prefix: str
    base: str
    api_url: str
    client_id: str
    hub_host: str


def place_of(settings: Settings, environ: Mapping[str, str]) -> Place:
    """Return the place: JupyterHub's word for a service it starts, else the settings'.

    Raises SettingsError for an address that others than this machine could reach: the
    proxy alone talks to the portal.
    """
    base = environ.get("JUPYTERHUB_BASE_URL", base_path(settings))
    url = environ.get("JUPYTERHUB_SERVICE_URL", "")
    parts = urlsplit(url or f"http://127.0.0.1:{settings.hub.portal_port}")
    host, port = parts.hostname or "", parts.port
    if port is None or not _is_loopback(host):
        raise SettingsError(
            f"The portal cannot listen on {url}.",
            "Give the service `portal` an address such as http://127.0.0.1:8082.",
        )
    hub = f"http://{settings.hub.address}:{settings.hub.hub_port}{base}hub/api"
    return Place(
        host=host,
        port=port,
        prefix=environ.get("JUPYTERHUB_SERVICE_PREFIX", f"{base}services/{SERVICE}/"),
        base=base,
        api_url=environ.get("JUPYTERHUB_API_URL", hub),
        client_id=environ.get("JUPYTERHUB_CLIENT_ID", f"service-{SERVICE}"),
        hub_host=environ.get("JUPYTERHUB_HOST", ""),
    )


def base_path(settings: Settings) -> str:
    """Return what the paths of hub, portal and notebooks begin with: / as a rule."""
    return urlsplit(settings.hub.public_url).path.rstrip("/") + "/"


def hub_token(settings: Settings, environ: Mapping[str, str]) -> str:
    """Return the word that the portal proves itself to the hub with."""
    return environ.get("JUPYTERHUB_API_TOKEN", "") or portal_token(settings)


def portal_token(settings: Settings) -> str:
    """Return the word between portal and hub, from the site's file or our own."""
    chosen = settings.hub.portal_token_file
    if chosen is not None:
        return read_secret(chosen)
    return kept_secret(settings.site.state_dir / "portal.token")


def hub_auth(place: Place, token: str, settings: Settings) -> HubOAuth:
    """Return JupyterHub's client for asking who somebody is."""
    is_secure = settings.hub.public_url.startswith("https:")
    return HubOAuth(
        api_url=place.api_url,
        api_token=token,
        oauth_client_id=place.client_id,
        base_url=place.prefix,
        hub_prefix=f"{place.base}hub/",
        hub_host=place.hub_host,
        cache_max_age=_CACHE_S,
        cookie_options={
            "samesite": "Lax",
            "secure": is_secure,
            "expires_days": settings.hub.session_hours / 24,
        },
    )


def cookie_secret(settings: Settings) -> bytes:
    """Return what signs cookies; another one would make everybody log in anew."""
    return kept_secret(settings.site.state_dir / "portal.cookie_secret").encode()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
