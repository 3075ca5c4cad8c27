"""What the portal answers, as frozen dataclasses; fields we do not know are left out.

A newer portal may answer more than this client knows: that is no error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self


def known(kind: type[Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return of an answer what a class of ours has fields for."""
    return {f.name: said[f.name] for f in fields(kind) if f.name in said}


@dataclass(frozen=True, slots=True)
class Answer:
    """Something that the portal answers."""

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        return cls(**known(cls, said))


@dataclass(frozen=True, slots=True)
class Tenant(Answer):
    """A tenant, and what the person may do in it."""

    name: str
    role: str | None
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Person(Answer):
    """Who a token or a login belongs to."""

    name: str
    tenants: tuple[Tenant, ...] = ()
    is_operator: bool = False
    scopes: tuple[str, ...] = ()

    @property
    def default_tenant(self) -> str | None:
        """Return the person's usual tenant, if one was chosen."""
        return next((t.name for t in self.tenants if t.is_default), None)

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        return cls(
            name=said["name"],
            tenants=tuple(Tenant.read(t) for t in said.get("tenants", ())),
            is_operator=bool(said.get("is_operator", False)),
            scopes=tuple(said.get("scopes", ())),
        )


@dataclass(frozen=True, slots=True)
class Profile(Answer):
    """What the directory says of a person."""

    name: str
    display_name: str = ""
    mail: str = ""
    uid: int | None = None
    groups: tuple[str, ...] = ()
    is_operator: bool = False
    tenants: tuple[Tenant, ...] = ()

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        tenants = tuple(Tenant.read(t) for t in said.get("tenants", ()))
        known = {f.name: said[f.name] for f in fields(cls) if f.name in said}
        return cls(**{**known, "tenants": tenants})


@dataclass(frozen=True, slots=True)
class Choices(Answer):
    """What a person has chosen; None where the site or the browser decides."""

    language: str | None = None
    theme: str | None = None
    default_tenant: str | None = None
    opens_history: bool | None = None


@dataclass(frozen=True, slots=True)
class Factor(Answer):
    """The second factor, and who asks for it."""

    mode: str
    is_set_up: bool
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class NewDevice(Answer):
    """What a new code device needs; `ticket` goes with its first code."""

    ticket: str = field(repr=False)
    key: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credential(Answer):
    """A Git service or registry, and whether something is stored for it."""

    service: str
    use: str | None = None
    kind: str | None = None
    url: str = ""
    is_stored: bool = False
    user_name: str = ""
    stored_at: int | None = None
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True)
class Terms(Answer):
    """The site's terms of use, and when the person accepted them."""

    version: str
    text: str
    accepted_at: int | None = None


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
