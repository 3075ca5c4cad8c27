"""The hub's configuration, one small function a topic, from the portal's settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from hub_config import portal_place, proxy
from hub_config.kept_secret import kept_secret
from kqi_hub.domain.job_tokens import JOB_SCOPE
from kqi_hub.settings.loader import load_settings
from kqi_hub.settings.model import Settings
from spawners.profiles import AGENT, known_profiles

HERE: Final = Path(__file__).parent
NOTEBOOK_CLASS: Final = "spawners.notebook.NotebookSpawner"
AGENT_CLASS: Final = "spawners.agent.AgentSpawner"
SCOPES: Final[Mapping[str, Mapping[str, object]]] = {
    "custom:kqi:read": {"description": "See what the person sees in the portal."},
    "custom:kqi:write": {
        "description": "Do what the person may do in the portal.",
        "subscopes": ["custom:kqi:read", JOB_SCOPE],
    },
    JOB_SCOPE: {
        "description": "Do in the portal what a running job of the person may do.",
    },
    "custom:kqi:operate": {"description": "Run the site, for its operators."},
}
# What everybody may do at the hub itself. Servers are not among it: a person starts
# notebooks through the portal, which checks queue, limits and price first.
PERSON_SCOPES: Final = (
    "read:users!user",
    "users:activity!user",
    "tokens!user",
    "access:services!service=portal",
    # Open one's own servers and see that they run; not start or stop them.
    "access:servers!user",
    "read:servers!user",
    "custom:kqi:write",
)
# What the portal itself may do at the hub: start and stop servers for people, and make
# tokens that open one server for a moment, and those of running jobs.
PORTAL_SCOPES: Final = (
    "servers",
    "delete:servers",
    "read:servers",
    "read:users:name",
    "list:users",
    "tokens",
)


def site_settings() -> Settings:
    """Return the settings of this site, from KQI_CONFIG or the usual place."""
    return load_settings()


def apply(c: Any, settings: Settings) -> None:
    """Configure everything."""
    apply_addresses(c, settings)
    apply_proxy(c, settings)
    apply_state(c, settings)
    apply_login(c, settings)
    apply_scopes(c, settings)
    apply_portal(c, settings)
    apply_pages(c, settings)
    apply_spawner(c, settings)


def apply_addresses(c: Any, settings: Settings) -> None:
    """Say where people and processes find each other."""
    hub, base = settings.hub, portal_place.base_path(settings)
    c.JupyterHub.bind_url = _with_path(hub.listen, base)
    c.JupyterHub.hub_bind_url = f"http://{hub.address}:{hub.hub_port}"
    c.JupyterHub.hub_connect_ip = hub.address
    c.JupyterHub.public_url = _with_path(hub.public_url, base)
    if hub.tls_certificate and hub.tls_key:
        c.JupyterHub.ssl_cert = str(hub.tls_certificate)
        c.JupyterHub.ssl_key = str(hub.tls_key)


def apply_proxy(c: Any, settings: Settings) -> None:
    """Use the proxy that runs beside the hub, and outlives it."""
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings.hub.proxy_port}"
    c.ConfigurableHTTPProxy.auth_token = proxy.proxy_token(settings)


def apply_state(c: Any, settings: Settings) -> None:
    """Keep the hub's own files in the state folder; servers survive its restart."""
    folder = settings.site.state_dir
    c.JupyterHub.db_url = f"sqlite:///{folder}/hub.sqlite"
    c.JupyterHub.cookie_secret_file = str(folder / "hub.cookie_secret")
    c.JupyterHub.cookie_max_age_days = settings.hub.session_hours / 24
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.cleanup_proxy = False


def apply_login(c: Any, settings: Settings) -> None:
    """Log in by the directory and one-time code; look the person up again later."""
    c.JupyterHub.authenticator_class = "spawners.authenticator.DirectoryAuthenticator"
    c.Authenticator.allow_all = True  # who may come in is the login service's decision
    c.Authenticator.manage_groups = True
    c.Authenticator.auth_refresh_age = 300
    # Tokens too, and the portal's sessions, which are tokens: JupyterHub would go on
    # accepting those of somebody whose account was closed.
    c.Authenticator.auth_refresh_strict = True
    c.JupyterHub.admin_access = False
    secure = settings.hub.public_url.startswith("https:")
    c.JupyterHub.tornado_settings = {
        "cookie_options": {"samesite": "Lax", "secure": secure, "httponly": True},
        "headers": {
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        },
    }


def apply_scopes(c: Any, settings: Settings) -> None:
    """Let tokens carry what a person may do in the portal."""
    c.JupyterHub.custom_scopes = {name: dict(what) for name, what in SCOPES.items()}
    c.JupyterHub.load_roles = [
        {"name": "user", "scopes": list(PERSON_SCOPES)},
        {
            "name": "kqi-operator",
            "description": "People who run the site.",
            "scopes": ["custom:kqi:operate"],
            "groups": [settings.people.operators_group],
        },
        {
            "name": "kqi-portal",
            "description": "The portal's own part in starting and stopping servers.",
            "scopes": list(PORTAL_SCOPES),
            "services": ["portal"],
        },
    ]
    c.JupyterHub.token_expires_in_max_seconds = settings.hub.longest_token_days * 86400


def apply_portal(c: Any, settings: Settings) -> None:
    """Register the portal, a process of its own that restarts by itself."""
    c.JupyterHub.services = [
        {
            "name": "portal",
            "url": f"http://127.0.0.1:{settings.hub.portal_port}",
            "api_token": portal_place.portal_token(settings),
            "oauth_no_confirm": True,
            "oauth_client_allowed_scopes": [
                *PERSON_SCOPES,
                "custom:kqi:operate",
            ],
        },
        # Only its way through the proxy: the store takes tickets, and asks no hub. The
        # token, which it is never told, keeps JupyterHub from an empty secret.
        {
            "name": "store",
            "url": f"http://127.0.0.1:{settings.store.port}",
            "api_token": kept_secret(settings.site.state_dir / "store.token"),
            "display": False,
        },
    ]
    c.JupyterHub.default_url = f"{portal_place.base_path(settings)}services/portal/"


def apply_pages(c: Any, settings: Settings) -> None:
    """Dress the hub's own pages as the portal's."""
    c.DirectoryAuthenticator.face_folder = str(HERE)
    c.DirectoryAuthenticator.base_path = portal_place.base_path(settings)
    c.JupyterHub.template_vars = {"site_name": settings.site.name}


def apply_spawner(c: Any, settings: Settings) -> None:
    """Start notebooks as jobs and agents through the door; nothing else, by nobody."""
    c.JupyterHub.spawner_class = "spawners.portal_spawner.PortalSpawner"
    c.PortalSpawner.profiles = [
        (title, key, AGENT_CLASS if key == AGENT else NOTEBOOK_CLASS, {})
        for key, title in known_profiles(settings).items()
    ]
    c.JupyterHub.allow_named_servers = True
    # A notebook that waits in a queue is a start under way, for hours or days; how many
    # a person may have is the portal's rule, and what runs at a time is Slurm's.
    c.JupyterHub.concurrent_spawn_limit = 0
    c.JupyterHub.named_server_limit_per_user = 0
    c.JupyterHub.tornado_settings["slow_spawn_timeout"] = 0
    table = settings.notebooks
    # Longer than the session services' own patience, which has the words for it.
    c.Spawner.start_timeout = table.longest_wait_hours * 3600 + 600
    c.Spawner.http_timeout = table.longest_boot_s
    c.Spawner.poll_interval = 30  # from memory: it asks nobody


def _with_path(url: str, path: str) -> str:
    return urlsplit(url)._replace(path=path).geturl()
