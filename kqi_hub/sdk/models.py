"""What the portal answers, as frozen dataclasses; fields we do not know are left out.

A newer portal may answer more than this client knows: that is no error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Answer:
    """Something that the portal answers."""

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        return cls(**{f.name: said[f.name] for f in fields(cls) if f.name in said})


@dataclass(frozen=True, slots=True)
class Tenant(Answer):
    """A tenant, and what the person may do in it."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Person(Answer):
    """Who a token or a login belongs to."""

    name: str
    tenants: tuple[Tenant, ...] = ()
    operator: bool = False
    default_tenant: str | None = None
    scopes: tuple[str, ...] = ()

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        return cls(
            name=said["name"],
            tenants=tuple(Tenant.read(t) for t in said.get("tenants", ())),
            operator=bool(said.get("operator", False)),
            default_tenant=said.get("default_tenant"),
            scopes=tuple(said.get("scopes", ())),
        )


@dataclass(frozen=True, slots=True)
class Token(Answer):
    """An API token; `token` itself is there only when it was just made."""

    id: str
    note: str
    scopes: tuple[str, ...] = ()
    created_at: int | None = None
    last_used_at: int | None = None
    expires_at: int | None = None
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SshKey(Answer):
    """A public SSH key of the person."""

    id: int
    name: str
    kind: str
    fingerprint: str
    added_at: int


@dataclass(frozen=True, slots=True)
class Login(Answer):
    """What a login gives."""

    name: str
    token: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    expires_at: int | None = None
    password_expires_in_s: int | None = None
    recovery_codes_left: int | None = None
