"""The headers that keep pages from being framed, sniffed, injected into or kept."""

from collections.abc import Mapping
from typing import Final

# data: is for the small pictures inside Bootstrap's style sheet (arrows, ticks).
_POLICY: Final = (
    "default-src 'self'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data:; "
    "font-src 'self'; "
    "connect-src 'self'; "
    "object-src 'none'; "
    "base-uri 'none'; "
    "frame-ancestors 'none'; "
    "form-action 'self'{hub}"
)
_OF_EVERYTHING: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def security_headers(hub_host: str = "") -> Mapping[str, str]:
    """Return the headers of every page; `hub_host` is the hub's, if another host."""
    hub = f" {hub_host}" if hub_host else ""
    return {**_OF_EVERYTHING, "Content-Security-Policy": _POLICY.format(hub=hub)}


def personal_headers(hub_host: str = "") -> Mapping[str, str]:
    """Return the headers of answers that concern one person: never kept anywhere."""
    return {**security_headers(hub_host), "Cache-Control": "no-store"}
