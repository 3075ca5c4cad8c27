"""What an environment is made from: a base, a lock, an explicit list or a yml file."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Literal

from conda_bootstrap.errors import WrongUse
from conda_bootstrap.packages import Package, from_url
from conda_bootstrap.site_bases import Base

LONGEST_CHARS: Final = 4_000_000
_PACKAGE: Final = re.compile(r"^- conda: (?P<url>\S+)$", re.MULTILINE)
_FIELD: Final = re.compile(r"^  (?P<key>size|md5): ['\"]?(?P<value>\w+)", re.MULTILINE)
_PIP_NOTE: Final = re.compile(r"^# pip: (?P<spec>\S+)$", re.MULTILINE)
_EXPLICIT: Final = re.compile(
    r"(?P<url>\S+?)(?:#(?P<sum>[0-9a-f]{32}|sha256:[0-9a-f]{64}))?"
)
_URL: Final = re.compile(r"(?:https?|file)://[^\s#\x00-\x1f\x7f]+")

Kind = Literal["lock", "explicit", "specs"]


@dataclass(frozen=True, slots=True)
class Source:
    """Everything a back-end has to be told; the text has been checked."""

    kind: Kind
    text: str = ""
    specs: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    base: Base | None = None
    explicit: str = ""
    # The base and lock of an environment that is only made again or added to.
    origin: tuple[str | None, str | None] = (None, None)

    @property
    def base_name(self) -> str | None:
        """Return the base that it is, or came from."""
        return self.base.name if self.base else self.origin[0]

    @property
    def sha256(self) -> str | None:
        """Return what tells this lock from others; None where nothing is locked."""
        if known := self.base.lock_sha256 if self.base else self.origin[1]:
            return known
        return hashlib.sha256(self.text.encode()).hexdigest() if self.text else None


def from_base(base: Base) -> Source:
    """Return a base of the site as a source."""
    lock = base.lock.read_text(encoding="utf-8")
    explicit = base.explicit.read_text(encoding="utf-8")
    return Source("lock", text=lock, base=base, explicit=explicit)


def from_lock(text: str) -> Source:
    """Return a lock file (of rattler, pixi or ours) as a source."""
    check_text(text, "lock file")
    if not locked_packages(text):
        raise WrongUse(
            "lock",
            "This lock file names no conda package.",
            "Give a lock file of rattler or pixi, or one that was exported here.",
        )
    pip = tuple(match["spec"] for match in _PIP_NOTE.finditer(text))
    return Source("lock", text=text, pip=pip)


def from_explicit(text: str) -> Source:
    """Return a list of URLs (conda list --explicit) as a source."""
    check_text(text, "explicit list")
    explicit_packages(text)
    pip = tuple(match["spec"] for match in _PIP_NOTE.finditer(text))
    return Source("explicit", text=text, explicit=text, pip=pip)


def check_text(text: str, what: str) -> None:
    """Refuse what is too long to be meant, and what is no text."""
    if len(text) > LONGEST_CHARS:
        raise WrongUse("too_long", f"This {what} is longer than {LONGEST_CHARS:,}.")
    bad = next((one for one in text if one < " " and one not in "\n\r\t"), None)
    if bad is not None or "\x7f" in text:
        raise WrongUse(
            "no_text",
            f"This {what} holds a control character ({bad or chr(127)!a}).",
            "Give the file as it was exported.",
        )


def locked_packages(text: str) -> tuple[Package, ...]:
    """Return the packages that a lock file names, with their sizes."""
    found = []
    starts = [*_PACKAGE.finditer(text)]
    for number, match in enumerate(starts, 1):
        end = starts[number].start() if number < len(starts) else len(text)
        fields = {
            one["key"]: one["value"] for one in _FIELD.finditer(text, match.end(), end)
        }
        size = fields.get("size", "")
        count = int(size) if size.isdecimal() and len(size) < 16 else 0
        url = match["url"].strip("'\"")
        try:
            found.append(from_url(url, count, fields.get("md5", "")))
        except ValueError as error:
            raise WrongUse("lock", f"In this lock file {error}.") from error
    return tuple(found)


def explicit_packages(text: str) -> tuple[Package, ...]:
    """Return the packages of an explicit list; every other line must be a comment."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines or lines[0] != "@EXPLICIT" or len(lines) == 1:
        raise WrongUse(
            "explicit",
            "This is no explicit list: it has to begin with @EXPLICIT and name URLs.",
            "Make one with: conda list --explicit --md5",
        )
    return tuple(_explicit_package(line) for line in lines[1:])


def _explicit_package(line: str) -> Package:
    match = _EXPLICIT.fullmatch(line)
    if not match or not _URL.fullmatch(match["url"]):
        raise WrongUse("explicit", f"{ascii(line)[:120]} is not the URL of a package.")
    checksum = match["sum"] or ""
    try:
        return from_url(match["url"], md5=checksum if len(checksum) == 32 else "")
    except ValueError as error:
        raise WrongUse("explicit", f"In this list {error}.") from error
