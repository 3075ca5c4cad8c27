"""The portal's own cookies: choices, and what was just done. None of them is a login.

Language and colours are kept for the whole site and readable by script, for the hub's
login page wears them too, before anybody is logged in.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tornado.web import RequestHandler

LANGUAGE: Final = "kqi-language"
THEME: Final = "kqi-theme"
TENANT: Final = "kqi-tenant"
SAID: Final = "kqi-said"
_YEAR_DAYS: Final = 365
_SAID_S: Final = 60


@dataclass(frozen=True, slots=True)
class Jar:
    """Where cookies are valid: below a path, and on encrypted connections only."""

    path: str
    secure: bool


def keep_choice(handler: RequestHandler, name: str, value: str, jar: Jar) -> None:
    """Keep language or colours for a year, for the whole site."""
    handler.set_cookie(
        name,
        value,
        path=jar.path,
        expires_days=_YEAR_DAYS,
        samesite="Lax",
        secure=jar.secure,
    )


def keep_tenant(handler: RequestHandler, tenant: str, jar: Jar) -> None:
    """Keep which tenant was looked at last."""
    handler.set_cookie(
        TENANT,
        tenant,
        path=jar.path,
        expires_days=_YEAR_DAYS,
        samesite="Lax",
        httponly=True,
        secure=jar.secure,
    )


def say_next(
    handler: RequestHandler, template: str, values: Mapping[str, str], jar: Jar
) -> None:
    """Let the next page say that something was done."""
    handler.set_signed_cookie(
        SAID,
        json.dumps([template, dict(values)]),
        path=jar.path,
        expires_days=None,
        max_age=_SAID_S,
        samesite="Lax",
        httponly=True,
        secure=jar.secure,
    )


def take_said(handler: RequestHandler, jar: Jar) -> tuple[str, Mapping[str, str]]:
    """Return what the page before wants said, once, and its values."""
    packed = handler.get_signed_cookie(SAID, max_age_days=1)
    if packed is None:
        return "", {}
    handler.clear_cookie(SAID, path=jar.path)
    template, values = json.loads(packed)
    return template, values
