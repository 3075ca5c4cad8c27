"""The [directory] table: how LDAP servers are reached and what their entries mean."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from kqi_hub.settings.contradiction import Contradiction
from kqi_hub.settings.field import about
from kqi_hub.settings.rules import (
    Between,
    DirectoryUrl,
    Each,
    LdapFilter,
    Line,
    Matches,
)

_ATTRIBUTE = Matches(r"[A-Za-z][A-Za-z0-9-]{0,63}", "the name of an LDAP attribute")
_ONE_NAME = re.compile(r"([^{}]*[,+])?[A-Za-z][A-Za-z0-9-]*=\{name\}([,+][^{}]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The LDAP directory that checks passwords.

    Without this table nobody can log in. With it, every connection is encrypted:
    a directory that would be asked in clear text is refused. Examples for OpenLDAP,
    389 and Active Directory are in docs/operators/login.md.
    """

    servers: tuple[str, ...] = field(
        metadata=about(
            "The servers, tried in this order.",
            Each(DirectoryUrl()),
            example='["ldaps://ldap.example.org"]',
        )
    )
    bind_mode: Literal["search", "direct"] = field(
        default="search",
        metadata=about(
            "`search`: a person's entry is searched for, then bound as; `direct`: the "
            "name is put into `user_dn_template` and bound as at once."
        ),
    )
    people_base: str = field(
        metadata=about(
            "Where the entries of people (posixAccount) are.",
            Line(1000),
            example='"ou=people,dc=example,dc=org"',
        )
    )
    groups_base: str = field(
        metadata=about(
            "Where the entries of groups (posixGroup) are.",
            Line(1000),
            example='"ou=groups,dc=example,dc=org"',
        )
    )
    start_tls: bool = field(
        default=False,
        metadata=about(
            "Encrypt ldap:// connections with StartTLS before anything is said. "
            "Not for ldaps:// addresses."
        ),
    )
    ca_file: Path | None = field(
        default=None,
        metadata=about(
            "Certificates (PEM) that may sign the servers' certificates; "
            "the system's own when left out."
        ),
    )
    bind_dn: str | None = field(
        default=None,
        metadata=about(
            "Who searches for people; left out, the search is anonymous.", Line(1000)
        ),
    )
    bind_password_file: Path | None = field(
        default=None,
        metadata=about("File that holds the password of `bind_dn`.", secret_file=True),
    )
    user_dn_template: str | None = field(
        default=None,
        metadata=about(
            "Where an entry is, for `direct`, with {name} for the name, such as "
            "`uid={name},ou=people,dc=example,dc=org`.",
            Line(1000),
        ),
    )
    user_filter: str = field(
        default="(objectClass=posixAccount)",
        metadata=about("Which entries are people.", LdapFilter()),
    )
    name_attribute: str = field(
        default="uid",
        metadata=about("Attribute with the name to log in with.", _ATTRIBUTE),
    )
    uid_attribute: str = field(
        default="uidNumber", metadata=about("Attribute with the Unix uid.", _ATTRIBUTE)
    )
    gid_attribute: str = field(
        default="gidNumber",
        metadata=about("Attribute with the primary group's gid.", _ATTRIBUTE),
    )
    display_name_attributes: tuple[str, ...] = field(
        default=("displayName", "cn"),
        metadata=about(
            "Attributes with the name to show, the first that an entry has.",
            Each(_ATTRIBUTE),
        ),
    )
    mail_attribute: str = field(
        default="mail", metadata=about("Attribute with the mail address.", _ATTRIBUTE)
    )
    group_filter: str = field(
        default=(
            "(|(objectClass=posixGroup)(objectClass=groupOfNames)"
            "(objectClass=groupOfUniqueNames))"
        ),
        metadata=about("Which entries are groups.", LdapFilter()),
    )
    group_name_attribute: str = field(
        default="cn", metadata=about("Attribute with a group's name.", _ATTRIBUTE)
    )
    group_member_attributes: tuple[str, ...] = field(
        default=("memberUid", "member", "uniqueMember"),
        metadata=about(
            "Attributes that list members: `memberUid` by name, every other one by "
            "distinguished name. Groups within groups are not looked into.",
            Each(_ATTRIBUTE),
        ),
    )
    closed_attributes: tuple[str, ...] = field(
        default=(
            "shadowExpire",
            "pwdAccountLockedTime",
            "nsAccountLock",
            "userAccountControl",
            "accountExpires",
            "loginDisabled",
        ),
        metadata=about(
            "Attributes that can close an account, each read as its directory means "
            "it; one of another name closes it when it says TRUE.",
            Each(_ATTRIBUTE, least=0),
        ),
    )
    closed_when: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Further `attribute=value` pairs, each of which closes an account.",
            Each(
                Matches(
                    r"[A-Za-z][A-Za-z0-9-]{0,63}=[^\r\n]{1,200}",
                    'attribute=value, such as "employeeType=left"',
                ),
                least=0,
            ),
        ),
    )
    check_unix_account: bool = field(
        default=True,
        metadata=about(
            "Keep people out whose uid in the directory is not the one that this "
            "machine knows for their name."
        ),
    )
    connect_timeout_s: float = field(
        default=5.0,
        metadata=about("Seconds until the next server is tried.", Between(1, 60)),
    )
    read_timeout_s: float = field(
        default=10.0,
        metadata=about("Seconds to wait for an answer.", Between(1, 120)),
    )

    total_timeout_s: float = field(
        default=20.0,
        metadata=about(
            "Seconds for one question to the directory, over all its servers.",
            Between(1, 300),
        ),
    )
    retry_after_s: float = field(
        default=10.0,
        metadata=about(
            "Seconds until a server that failed is probed again.", Between(1, 600)
        ),
    )
    pool_size: int = field(
        default=16,
        metadata=about(
            "How many people are looked up at once; four times as many while a "
            "server hangs.",
            Between(1, 200),
        ),
    )
    longest_queue: int = field(
        default=200,
        metadata=about(
            "How many more may wait for their turn before others are sent away.",
            Between(1, 10_000),
        ),
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Refuse clear text, TLS twice, and a bind name without its password."""
        yield from self._tls_contradictions()
        yield from self._mode_contradictions()
        if self.bind_dn is not None and self.bind_password_file is None:
            yield Contradiction(
                "bind_dn", "no bind_password_file", "bind_password_file with bind_dn"
            )
        if self.bind_dn is None and self.bind_password_file is not None:
            yield Contradiction(
                "bind_password_file", "no bind_dn", "bind_dn with bind_password_file"
            )

    def _mode_contradictions(self) -> Iterator[Contradiction]:
        template = self.user_dn_template
        if self.bind_mode == "search" and template is not None:
            yield Contradiction(
                "user_dn_template", 'bind_mode = "search"', 'bind_mode = "direct"'
            )
        if self.bind_mode == "direct" and template is None:
            yield Contradiction(
                "bind_mode", "no user_dn_template", "user_dn_template for direct binds"
            )
        if template is not None and not _has_one_name(template):
            yield Contradiction(
                "user_dn_template",
                f'"{template}"',
                "{name} exactly once, as an attribute's whole value, and no other "
                "braces",
            )

    def _tls_contradictions(self) -> Iterator[Contradiction]:
        for server in self.servers:
            scheme = urlsplit(server).scheme
            if scheme == "ldap" and not self.start_tls:
                yield Contradiction(
                    "servers",
                    f'"{server}" with start_tls = false',
                    "ldaps:// or start_tls = true: passwords never travel in clear",
                )
            if scheme == "ldaps" and self.start_tls:
                yield Contradiction(
                    "start_tls",
                    f'true with "{server}"',
                    "false for ldaps:// addresses, which are encrypted already",
                )


def _has_one_name(template: str) -> bool:
    return _ONE_NAME.fullmatch(template) is not None
