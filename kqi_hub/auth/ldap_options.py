"""How the site's directory is reached and read."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"ldap": 389, "ldaps": 636}


class BindMode(StrEnum):
    """How a name becomes the distinguished name that a password is checked for."""

    SEARCH = "search"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """One server; without `start_tls` TLS begins before anything is said."""

    host: str
    port: int
    start_tls: bool

    def __str__(self) -> str:
        scheme = "ldap" if self.start_tls else "ldaps"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


def server_address(url: str) -> ServerAddress:
    """Read ldaps://host[:port] or ldap://host[:port]; the latter means StartTLS."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{url!r} is no ldap:// or ldaps:// address")
    port = parts.port or _PORTS[parts.scheme]
    return ServerAddress(parts.hostname, port, start_tls=parts.scheme == "ldap")


@dataclass(frozen=True, slots=True)
class PersonAttributes:
    """Which attributes of a person's entry mean what."""

    name: str = "uid"
    uid: str = "uidNumber"
    gid: str = "gidNumber"
    display_name: tuple[str, ...] = ("displayName", "cn")
    mail: str = "mail"
    # What says that an account is closed, see kqi_hub.auth.closed_accounts.
    closed: tuple[str, ...] = (
        "shadowExpire",
        "pwdAccountLockedTime",
        "nsAccountLock",
        "userAccountControl",
        "accountExpires",
        "loginDisabled",
    )
    closed_when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupAttributes:
    """Which entries are groups; `memberUid` holds names, the others hold DNs."""

    filter: str = (
        "(|(objectClass=posixGroup)(objectClass=groupOfNames)"
        "(objectClass=groupOfUniqueNames))"
    )
    name: str = "cn"
    members: tuple[str, ...] = ("memberUid", "member", "uniqueMember")


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryOptions:
    """Everything that the LDAP client has to know."""

    servers: tuple[ServerAddress, ...]
    people_base: str
    groups_base: str
    ca_file: Path | None = None
    bind_mode: BindMode = BindMode.SEARCH
    user_dn_template: str = ""
    user_filter: str = "(objectClass=posixAccount)"
    bind_dn: str = ""
    bind_password: str = field(default="", repr=False)
    person: PersonAttributes = field(default_factory=PersonAttributes)
    group: GroupAttributes = field(default_factory=GroupAttributes)
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 10.0
    total_timeout_s: float = 20.0
    retry_after_s: float = 10.0
    idle_connections: int = 16
    idle_s: float = 30.0
