"""The portal's own cookies: choices, and what was just done. None of them is a login.

Language and colours are kept for the whole site and readable by script, for the hub's
login page wears them too, before anybody is logged in.
"""

import json
from collections.abc import Mapping
from typing import Final

from jupyterhub.utils import get_browser_protocol
from tornado.web import RequestHandler

LANGUAGE: Final = "kqi-language"
THEME: Final = "kqi-theme"
TENANT: Final = "kqi-tenant"
SAID: Final = "kqi-said"
_YEAR_DAYS: Final = 365
_SAID_S: Final = 60


def keep_choice(handler: RequestHandler, name: str, value: str, path: str) -> None:
    """Keep language or colours for a year, for the whole site."""
    handler.set_cookie(
        name,
        value,
        path=path,
        expires_days=_YEAR_DAYS,
        samesite="Lax",
        secure=is_encrypted(handler),
    )


def keep_tenant(handler: RequestHandler, tenant: str, path: str) -> None:
    """Keep which tenant was looked at last."""
    handler.set_cookie(
        TENANT,
        tenant,
        path=path,
        expires_days=_YEAR_DAYS,
        samesite="Lax",
        httponly=True,
        secure=is_encrypted(handler),
    )


def say_next(
    handler: RequestHandler, template: str, values: Mapping[str, str], path: str
) -> None:
    """Let the next page say that something was done."""
    packed = json.dumps([template, dict(values)])
    handler.set_signed_cookie(
        SAID,
        packed,
        path=path,
        expires_days=None,
        max_age=_SAID_S,
        samesite="Lax",
        httponly=True,
        secure=is_encrypted(handler),
    )


def take_said(handler: RequestHandler, path: str) -> tuple[str, Mapping[str, str]]:
    """Return what the page before wants said, once, and its values."""
    packed = handler.get_signed_cookie(SAID, max_age_days=1)
    if packed is None:
        return "", {}
    handler.clear_cookie(SAID, path=path)
    template, values = json.loads(packed)
    return template, values


def is_encrypted(handler: RequestHandler) -> bool:
    """Tell whether the browser speaks https, as far as proxies say so."""
    return bool(get_browser_protocol(handler.request) == "https")
