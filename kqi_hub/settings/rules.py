"""What a setting's value must look like, each rule with the words that say so."""

import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import PurePosixPath
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class Rule(Protocol):
    """Judge a value that already has the right type."""

    @property
    def expected(self) -> str:
        """Finish the sentence "expected ..."."""

    def allows(self, value: Any) -> bool:
        """Tell whether the value obeys."""


@dataclass(frozen=True, slots=True)
class Between:
    """Accept a number from `least` to `most`, both included; None means no bound."""

    least: float
    most: float | None = None

    @property
    def expected(self) -> str:
        """Name the bounds."""
        if self.most is None:
            return f"{self.least} or more"
        return f"{self.least} to {self.most}"

    def allows(self, value: float) -> bool:
        """Compare with both bounds."""
        return value >= self.least and (self.most is None or value <= self.most)


@dataclass(frozen=True, slots=True)
class Matches:
    """Accept text that a regular expression matches from end to end."""

    pattern: str
    expected: str

    def allows(self, value: str) -> bool:
        """Match the whole text, a final newline included."""
        return re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True, slots=True)
class Line:
    """Accept one line of printable text up to `longest` characters."""

    longest: int = 200

    @property
    def expected(self) -> str:
        """Name the limit."""
        return f"one line of printable text, 1 to {self.longest} characters"

    def allows(self, value: str) -> bool:
        """Refuse control characters and blank text."""
        fits = 0 < len(value) <= self.longest
        return fits and value.isprintable() and not value.isspace()


@dataclass(frozen=True, slots=True)
class TimeZone:
    """Accept a name of the IANA time zone database."""

    expected: str = 'an IANA time zone such as "Asia/Tokyo"'

    def allows(self, value: str) -> bool:
        """Look the zone up; UTC is known even where no zone files are installed."""
        if value == "UTC":
            return True
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Each:
    """Accept a list that has at least `least` entries, all obeying one rule."""

    rule: Rule
    least: int = 1

    @property
    def expected(self) -> str:
        """Say what each entry must be."""
        return f"at least {self.least}, each {self.rule.expected}"

    def allows(self, value: tuple[Any, ...]) -> bool:
        """Judge every entry."""
        return len(value) >= self.least and all(map(self.rule.allows, value))


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """Accept an absolute SQLite file or a PostgreSQL address without a password."""

    expected: str = (
        "sqlite:////absolute/path or postgresql+psycopg://user@host/name, "
        "with no password in it (use password_file)"
    )

    def allows(self, value: str) -> bool:
        """Refuse other databases, relative paths, and secrets in the address."""
        if not value.isprintable():
            return False
        try:
            parts = urlsplit(value)
            holds_secret = parts.password is not None or any(
                "password" in key.lower() for key, _ in parse_qsl(parts.query)
            )
        except ValueError:
            return False
        if holds_secret:
            return False
        if parts.scheme == "postgresql+psycopg":
            return len(parts.path) > 1
        return value.startswith("sqlite:////") and _is_plain_path(value[10:])


def _is_plain_path(text: str) -> bool:
    has_extras = "?" in text or "#" in text
    return not has_extras and ".." not in PurePosixPath(text).parts and text[1:] != ""


@dataclass(frozen=True, slots=True)
class DirectoryUrl:
    """Accept the address of an LDAP server."""

    expected: str = "ldaps://host[:port] or ldap://host[:port]"

    def allows(self, value: str) -> bool:
        """Accept scheme, host and port, and nothing after them."""
        if not value.isprintable() or "@" in value:
            return False
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            return False
        rest = parts.path.strip("/") + parts.query + parts.fragment
        known = parts.scheme in ("ldaps", "ldap") and bool(parts.hostname)
        return known and port != 0 and not rest


@dataclass(frozen=True, slots=True)
class WebAddress:
    """Accept the address of a web server, without a slash at its end."""

    expected: str = (
        "https://host[:port][/path], with no slash at the end and no name or password "
        "in it"
    )

    def allows(self, value: str) -> bool:
        """Accept scheme, host, port and path; http too, for hosts of the site's own."""
        if not (value.isprintable() and value.isascii()) or {*" @\\\"'<>"} & {*value}:
            return False
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            return False
        known = parts.scheme in ("https", "http") and bool(parts.hostname)
        bare = not (parts.query or parts.fragment) and value[-1:] not in {"/", "?", "#"}
        return known and bare and port != 0 and ".." not in PurePosixPath(value).parts


@dataclass(frozen=True, slots=True)
class Contact:
    """Accept what people write to: a mail address, or the address of a web page."""

    expected: str = "name@host, or https://host[:port][/path]"

    def allows(self, value: str) -> bool:
        """Accept either; a mail address of plain letters, digits and . _ + - only."""
        host = r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,9}"
        is_mail = re.fullmatch(rf"[A-Za-z0-9._+-]{{1,64}}@{host}", value) is not None
        return is_mail or WebAddress().allows(value)


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """Accept the address that people type, which ends with a slash."""

    expected: str = "https://host[:port]/ or, below a path, https://host/path/"

    def allows(self, value: str) -> bool:
        """Accept what is a web address without its last slash."""
        return value.endswith("/") and WebAddress().allows(value[:-1])


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Accept where a server listens: no path, and a host that is an address."""

    expected: str = "https://address[:port] or http://address[:port], no path"

    def allows(self, value: str) -> bool:
        """Accept scheme, address and port; all addresses of a machine are 0.0.0.0."""
        if not WebAddress().allows(value) or urlsplit(value).path:
            return False
        try:
            ip_address(urlsplit(value).hostname or "")
        except ValueError:
            return urlsplit(value).hostname == "localhost"
        return True


@dataclass(frozen=True, slots=True)
class LdapFilter:
    """Accept a search filter in brackets that open and close."""

    expected: str = "an LDAP filter in brackets, such as (objectClass=posixAccount)"

    def allows(self, value: str) -> bool:
        """Count brackets; the directory judges the rest."""
        depth = 0
        for position, char in enumerate(value):
            depth += {"(": 1, ")": -1}.get(char, 0)
            if depth < 1 and position < len(value) - 1:
                return False
        return depth == 0 and len(value) > 2 and value.isprintable()


@dataclass(frozen=True, slots=True)
class NetworkAddress:
    """Accept an IP address or a network."""

    expected: str = "an address or network such as 192.0.2.7 or 192.0.2.0/24"

    def allows(self, value: str) -> bool:
        """Let the standard library judge."""
        try:
            ip_network(value)
        except ValueError:
            return False
        return True
