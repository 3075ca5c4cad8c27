"""The login in the OpenAPI document: the hub answers it, so it has a server of its own.

What is told here is what `spawners.login_api` does; a test holds both together.
"""

from collections.abc import Mapping
from typing import Any, Final

from handlers.problem import PROBLEM_TYPE
from handlers.validation import JSON_TYPE

PATH: Final = "/api/kqi/login"
TAG: Final = "Login"
SCOPES: Final = (
    "custom:kqi:read",
    "custom:kqi:write",
    "custom:kqi:operate",
    "tokens!user",
    "access:servers!user",
)
_CODES: Final = {
    400: ("invalid-input",),
    403: ("not-let-in",),
    409: ("step-missing",),
    429: ("too-many-failures",),
    503: ("directory-unavailable",),
}


def _text(longest: int, about: str, **more: object) -> dict[str, Any]:
    return {"type": "string", "maxLength": longest, "description": about, **more}


REQUEST: Final[Mapping[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "password"],
    "properties": {
        "name": _text(1024, "Your name."),
        "password": _text(4096, "Your password.", format="password"),
        "code": _text(256, "The code of your device, or a recovery code.", default=""),
        "note": _text(1024, "What the token is for, one line.", default="kqi login"),
        "scopes": {
            "type": "array",
            "description": "What the token may do.",
            "items": {"type": "string", "enum": list(SCOPES)},
            "minItems": 1,
            "maxItems": 10,
            "default": ["custom:kqi:write"],
        },
        "lifetime_s": {
            "type": "integer",
            "description": "How long it lasts; the site may have a shorter limit.",
            "minimum": 60,
            "default": 30 * 86400,
        },
    },
}
_OR_NOTHING: Final = {"type": ["integer", "null"]}
ANSWER: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": [
        "name",
        "token",
        "scopes",
        "expires_at",
        "password_expires_in_s",
        "recovery_codes_left",
    ],
    "properties": {
        "name": {"type": "string", "description": "Who you are."},
        "token": {"type": "string", "description": "It is told once, here."},
        "scopes": {"type": "array", "items": {"type": "string"}},
        "expires_at": {"type": "integer", "description": "When it ends."},
        "password_expires_in_s": {
            **_OR_NOTHING,
            "description": "Null: not soon.",
        },
        "recovery_codes_left": {
            **_OR_NOTHING,
            "description": "Null: none was used.",
        },
    },
}


def with_login(document: Mapping[str, Any], base: str) -> dict[str, Any]:
    """Return the document with the login; `base` is the hub's prefix."""
    server = {"url": f"{base}hub", "description": "The hub, which knows passwords."}
    return {
        **document,
        "tags": [*document["tags"], {"name": TAG}],
        "paths": {
            **document["paths"],
            PATH: {"servers": [server], "post": _operation()},
        },
    }


def _operation() -> dict[str, Any]:
    done = {"description": "A token.", "content": {JSON_TYPE: {"schema": ANSWER}}}
    return {
        "operationId": "log_in",
        "summary": "Log in with name, password and code; a token comes out.",
        "tags": [TAG],
        "parameters": [],
        "security": [],
        "requestBody": {"required": True, "content": {JSON_TYPE: {"schema": REQUEST}}},
        "responses": {
            "201": done,
            **{str(status): _refusal(codes) for status, codes in _CODES.items()},
        },
    }


def _refusal(codes: tuple[str, ...]) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": "Not logged in.",
        "content": {PROBLEM_TYPE: {"schema": schema}},
        "x-kqi-codes": list(codes),
    }
